/**
 * A reading on its way to its device: a range of a batch's bytes, and what its topic says. Nothing
 * is decoded before the device's own shard takes it, and no string is made of it then.
 *
 * @module
 */
import type { CompiledRoute } from "./route.ts";
import type { Rejection } from "./intake.ts";
import type { LineBuffer } from "./line_buffer.ts";
import type { GroupDevice } from "./spool/commit_group.ts";

/** The bytes that readings of one frame point into, valid while the frame is being walked. */
export interface ReadingBatch {
  readonly data: Uint8Array;
  /** When the batch came in, wall time in ms; a fraction is used down to the ns. */
  readonly arrivalMs: number;
  /** The same on a clock that never jumps, see `SteadyTime`. */
  readonly seenMs: number;
}

/** One payload: `batch.data[start..end)`. One object may be reused for every reading. */
export interface Reading {
  readonly batch: ReadingBatch;
  readonly start: number;
  readonly end: number;
  /** `offerFlags` of the intake. */
  readonly flags: number;
  /** MQTT packet identifier; 0 for none. */
  readonly packetId: number;
  readonly originHash: number;
  readonly entry: TopicEntry;
}

/**
 * What is known of one topic: worked out once, then found again by its bytes. The head and tail are
 * line protocol, already escaped: a line is `head [metric] tail [payload tags] " " fields " " time`.
 */
export interface TopicEntry {
  readonly kind: "topic";
  readonly topic: string;
  readonly route: CompiledRoute;
  readonly deviceId: string;
  /** Signed, 32 bit, the same in every shard and every run: `owner = (deviceHash >>> 0) % shards`. */
  readonly deviceHash: number;
  /** The owner's shard keeps here how to address the device; unset at first. */
  handle: unknown;
  /** The device's key where rates are counted; 0 until it is asked for. */
  rateKey: number;
  /** Hash of the topic's bytes, the same in every run: part of fingerprints. */
  readonly topicHash: number;
  /** What the payload must name as its own device, when the route asks for that. */
  readonly identity: string | undefined;
  /** The field that a payload of one bare value becomes, when the route takes such. */
  readonly scalar: string | undefined;
  /** Its names cannot be written in line protocol: every reading is a dead letter. */
  readonly unwritable: boolean;
  /** `bytes[headStart..headEnd)` and `bytes[headEnd..tailEnd)`. */
  readonly bytes: Uint8Array;
  readonly headStart: number;
  readonly headEnd: number;
  readonly tailEnd: number;
}

/** A topic that no reading can come from: no route, or not a topic at all. */
export interface TopicRefusal {
  readonly kind: "refused";
  readonly rejection: Rejection;
}

/**
 * Where a device puts the fate of a reading: exactly one call per reading. Before `points` the
 * device has appended its lines to `lines()`; before any other call it has taken them back.
 */
export interface DeviceOutlet<R extends Reading = Reading> {
  lines(): LineBuffer;
  /**
   * The fingerprint is (0, 0) when the reading cannot be told from another one. `points` are its
   * values.
   */
  points(
    reading: R,
    device: GroupDevice,
    fingerprintHi: number,
    fingerprintLo: number,
    points: number,
  ): void;
  /** The fingerprint is that of the first copy. */
  duplicate(reading: R, fingerprintHi: number, fingerprintLo: number): void;
  /** Nothing to store and nothing wrong, for example no number in the payload. */
  refused(reading: R, reason: string): void;
  /** Cannot be stored, ever. `reason` is a word for a metric label, `detail` a sentence. */
  dead(reading: R, reason: string, detail: string): void;
}
