/**
 * The door between an edge and the path of a reading. A session offers payloads as it parses them;
 * what was accepted is settled exactly once, in whatever order the owners answer, and the session
 * releases its acknowledgements by that.
 *
 * @module
 */
import type { Sender } from "./rates/rates.ts";

/** How a reading came in; the label `transport` of the metrics. The index is the wire code. */
export const transports = ["mqtt", "broker", "websocket", "http", "recovery"] as const;
export type Transport = typeof transports[number];

/** Why a reading was not taken as a good one. `reason` is a stable word, fit for a metric label. */
export interface Rejection {
  readonly outcome: "dead_lettered" | "refused";
  readonly reason: string;
  /** For people: what was wrong and what to do. */
  readonly detail?: string;
}

/** One edge that offers readings: an MQTT session, a broker connection, an HTTP request. */
export interface Origin {
  readonly transport: Transport;
  /** 32-bit hash of the client id (or of what else survives a reconnect): for duplicate detection. */
  readonly originHash: number;
  /**
   * The fate of the reading offered under `sequence` is durable: acknowledge it. Without a
   * rejection it was stored or spooled, or is a duplicate of one that was.
   */
  settled(sequence: number, rejection: Rejection | undefined): void;
  /** Called once after a run of `settled`: the moment to write the acknowledgements out. */
  settledEnd(): void;
  /** Credit is back after an offer that answered `full`: read on. */
  resume(): void;
  /** Whose rates it is held to. Absent: nobody's, as for what other servers send. */
  readonly sender?: Sender | undefined;
  /** The offer that answers `full` does so because of a rate; `resume` follows after so many ms. */
  rateLimited?(waitMs: number): void;
  /**
   * The offer that answers `full` does so because its owner's spool takes nothing: no `resume`
   * follows. Only who can refuse at once has this; others wait on the lane, within its credit.
   */
  ownerStalled?(): void;
}

/** Bits of {@linkcode Offer.flags}. */
export const offerFlags = { qosMask: 0b11, dup: 0b100, retain: 0b1000 } as const;

/**
 * What an edge offers: ranges of its own read buffer, which are copied before `offer` returns.
 * One object may be reused for every call.
 */
export interface Offer {
  bytes: Uint8Array;
  topicStart: number;
  topicEnd: number;
  payloadStart: number;
  payloadEnd: number;
  /** {@linkcode offerFlags}. */
  flags: number;
  /** MQTT packet identifier; 0 for none. */
  packetId: number;
  /** Chosen by the origin, given back in `settled`; {@linkcode unawaited} where nobody waits. */
  sequence: number;
}

/** The sequence of readings whose sender wants no answer: these may gather longer for a commit. */
export const unawaited = -1;

/** An offer to fill in, again and again. */
export function blankOffer(): Offer {
  return {
    bytes: new Uint8Array(0),
    topicStart: 0,
    topicEnd: 0,
    payloadStart: 0,
    payloadEnd: 0,
    flags: 0,
    packetId: 0,
    sequence: 0,
  };
}

/**
 * `full`: no credit, or over a rate; the caller keeps the reading, stops reading, and is told `resume` later.
 * A {@linkcode Rejection}: settled at once as refused (no route, no topic); acknowledge it.
 */
export type OfferResult = "accepted" | "full" | Rejection;

/** Takes readings in for the shard. */
export interface Intake {
  offer(origin: Origin, offer: Offer): OfferResult;
  /** Counts a reading that the edge itself refuses, for want of a permission; it is settled. */
  deny(origin: Origin, offer: Offer, rejection: Rejection): void;
  /**
   * Sends on what was gathered; called by an edge when it has no more bytes to parse. False: not all
   * of it could be kept for those it is for, so none of it may be acknowledged.
   */
  flush(): boolean;
  /** The origin is gone: what is still in flight settles without it. */
  forget(origin: Origin): void;
}
