/**
 * The guard as the MQTT endpoint asks it, and its answers in the words of MQTT.
 *
 * @module
 */
import type { GateReason } from "../actors/rates/connection_gate.ts";
import { reasonCodes } from "../gateways/mqtt/codec/reason_code.ts";
import { hostOf, type TurnedAway } from "../gateways/mqtt/endpoint/arrival.ts";
import type { Bans, Door } from "../gateways/mqtt/endpoint/endpoint_options.ts";
import type { Guard } from "./guard.ts";

type EndpointGuard = Pick<
  Guard,
  | "limitsConnections"
  | "enter"
  | "left"
  | "bansVersion"
  | "banned"
  | "bannedUntilMs"
  | "countsEnds"
  | "ended"
>;

/** Who may connect, by address; `undefined`: all are let in. */
export function doorOf(guard: EndpointGuard): Door | undefined {
  if (!guard.limitsConnections) return undefined;
  return {
    enter: (peer) => turnedAway(guard.enter(hostOf(peer))),
    left: (peer) => guard.left(hostOf(peer)),
  };
}

const bannedText = (untilMs: number): string | undefined =>
  untilMs === 0 ? undefined : `banned until ${new Date(untilMs).toISOString()}`;

/** Whose sessions are not to be. */
export function bansOf(guard: EndpointGuard): Bans {
  const client = ({ account, clientId, peer }: Parameters<Bans["of"]>[0]) => ({
    account,
    clientId,
    address: hostOf(peer),
  });
  return {
    get version() {
      return guard.bansVersion;
    },
    of: (who) => {
      if (guard.bansVersion === 0) return undefined;
      const reason = bannedText(guard.banned(client(who)));
      return reason === undefined ? undefined : { reasonCode: reasonCodes.banned, reason };
    },
    now: (session) =>
      guard.bansVersion === 0 ? undefined : bannedText(guard.bannedUntilMs(client(session))),
    ended: (session) => {
      if (guard.countsEnds) guard.ended(client(session));
    },
  };
}

const turnedAways: Readonly<Record<GateReason, TurnedAway>> = {
  rate: {
    reasonCode: reasonCodes.connectionRateExceeded,
    reason: "too many connect just now; come back later",
  },
  address_rate: {
    reasonCode: reasonCodes.connectionRateExceeded,
    reason: "this address connects too often; come back later",
  },
  address_max: {
    reasonCode: reasonCodes.quotaExceeded,
    reason: "this address has as many connections as it may have",
  },
};

const turnedAway = (reason: GateReason | undefined): TurnedAway | undefined =>
  reason && turnedAways[reason];
