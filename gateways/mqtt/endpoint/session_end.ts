/**
 * How sessions end, as one table: whether the client can still be told, and whether its will is
 * published.
 *
 * @module
 */
import { reasonCodes } from "../codec/reason_code.ts";

/**
 * `hears`: the connection is worth a farewell; if not it is closed at once, or once what waits is
 * written: a client may have sent all it had to say before it reads an answer. `will`: the client or
 * the network failed, which is what a will is for (MQTT 5 §3.1.2.5).
 */
export const sessionEnds = {
  /** The client said DISCONNECT. With a normal one its will is gone by then [MQTT-3.14.4-3]. */
  disconnected: { hears: "what_waits", will: true, flaps: true },
  /** The client closed without it. */
  closed: { hears: "what_waits", will: true, flaps: true },
  connection_lost: { hears: false, will: true, flaps: true },
  protocol_error: { hears: true, will: true, flaps: true },
  /** CONNECT was answered with a refusal. */
  refused: { hears: true, will: false, flaps: false },
  /** It had not said CONNECT yet, and another client wanted its place. */
  made_room: { hears: false, will: false, flaps: false },
  connect_timeout: { hears: false, will: false, flaps: false },
  keep_alive_timeout: { hears: true, will: true, flaps: true },
  taken_over: { hears: true, will: true, flaps: true },
  /** The token, or the certificate, it came with has expired. */
  token_expired: { hears: true, will: true, flaps: false },
  /** Its account was changed or disabled, or its certificate revoked: its will is not its own any more. */
  account_changed: { hears: true, will: false, flaps: false },
  /** It was banned while it was connected. */
  banned: { hears: true, will: false, flaps: false },
  /** The client did not take what was sent to it. */
  write_stalled: { hears: false, will: true, flaps: true },
  /** What it published for kept sessions could not be written: it is to send it again. */
  not_kept: { hears: false, will: true, flaps: false },
  drained: { hears: true, will: false, flaps: false },
  drain_timeout: { hears: true, will: false, flaps: false },
  crashed: { hears: false, will: true, flaps: false },
} as const satisfies Record<
  string,
  { readonly hears: boolean | "what_waits"; readonly will: boolean; readonly flaps: boolean }
>;

export type SessionEnd = keyof typeof sessionEnds;

/** An end with what is said about it: `reasonCode` to an MQTT 5 client, `detail` in the log. */
export interface Ending {
  readonly end: SessionEnd;
  readonly reasonCode?: number;
  readonly detail?: string;
}

/** The endings that need no further word. */
export const endings = {
  closed: { end: "closed" },
  madeRoom: { end: "made_room" },
  connectTimeout: { end: "connect_timeout" },
  keepAliveTimeout: {
    end: "keep_alive_timeout",
    reasonCode: reasonCodes.keepAliveTimeout,
    detail: "no packet for 1.5 times the keep-alive",
  },
  takenOver: {
    end: "taken_over",
    reasonCode: reasonCodes.sessionTakenOver,
    detail: "the same client id has connected again",
  },
  tokenExpired: {
    end: "token_expired",
    reasonCode: reasonCodes.maximumConnectTime,
    detail: "the token or certificate has expired; connect with a new one",
  },
  accountChanged: {
    end: "account_changed",
    reasonCode: reasonCodes.administrativeAction,
    detail: "the account has changed, or the certificate was revoked",
  },
  banned: {
    end: "banned",
    // DISCONNECT has no 0x8A: that is CONNACK's alone [MQTT-3.14.2-1].
    reasonCode: reasonCodes.administrativeAction,
  },
  writeStalled: { end: "write_stalled" },
  drained: {
    end: "drained",
    reasonCode: reasonCodes.serverShuttingDown,
    detail: "the server is shutting down",
  },
  drainTimeout: {
    end: "drain_timeout",
    reasonCode: reasonCodes.serverShuttingDown,
    detail: "the server is shutting down",
  },
} as const satisfies Record<string, Ending>;
