/**
 * The lanes between two shards, on the link between their Workers: frames go over as transferred
 * buffers, settlements come back on the control lane. What the link has no credit for waits here,
 * bounded by the credit of the lanes.
 *
 * @module
 */
import type { IntakeHub } from "../actors/intake_hub.ts";
import type { RejectedReading, SentBatch } from "../actors/lane.ts";
import { OwnedBatch, type SettleBatch } from "../actors/owned_batch.ts";
import { type AckLevel, ackLevels, FrameJoiner, parseFrame } from "../actors/readings_frame.ts";
import type { Link } from "../runtime/remote_link.ts";

export interface PeerLinkOptions {
  /** The other shard. */
  readonly shard: number;
  readonly hub: Pick<IntakeHub, "ownerLost" | "ownerBack" | "settle">;
  /** Takes a batch that this shard owns. */
  readonly ingest: (batch: OwnedBatch) => void;
  /** A batch of the other side is settled. */
  readonly settled: (batch: OwnedBatch) => void;
  /** The other side sent what cannot be read. */
  readonly malformed: (cause: unknown) => void;
}

/** One settled batch on the wire: level, id, the rejected readings, and points where they count. */
type Settlement = readonly [
  level: number,
  batchId: number,
  rejected: readonly (readonly [number, 0 | 1, string, string])[],
  points: readonly number[] | null,
];

/** One message holds this many settlements and rejections: a link takes no larger ones than 1 MiB. */
const settlementsMax = 1_000;
/** A larger frame, which a single large payload makes, goes over in pieces of this size. */
const pieceBytesMax = 512 * 1024;
const detailMax = 200;
/** What the points of a reading take, of what a rejection does. */
const pointsShare = 1 / 32;

/** How many settlements, at least one, go into one message. */
function fitting(settlements: readonly Settlement[]): number {
  let parts = 0;
  for (const [i, [, , rejected, points]] of settlements.entries()) {
    parts += 1 + rejected.length + (points?.length ?? 0) * pointsShare;
    if (parts > settlementsMax) return Math.max(1, i);
  }
  return settlements.length;
}

/** See the module. */
export class PeerLink {
  readonly #options: PeerLinkOptions;
  #link: Link | undefined;
  /** Takes the settlements of what came over this link, and of nothing that came before it. */
  #settleHere: SettleBatch = () => {};
  #joiner = new FrameJoiner();
  /** Frames, or their pieces, and settlements that the link had no credit for. */
  #unsent: ArrayBuffer[] = [];
  #unsettled: Settlement[] = [];
  #flushAsked = false;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
  }

  /** The Workers are connected, for the first time or anew. */
  linked(link: Link): void {
    const { hub, shard } = this.#options;
    this.#link = link;
    this.#unsent = [];
    this.#unsettled = [];
    this.#joiner = new FrameJoiner();
    // Another incarnation numbers its batches anew: a late settlement would be for a wrong one.
    this.#settleHere = (batch) => this.#settle(batch, link);
    link.open({
      buffer: (bytes) => this.#received(bytes),
      control: (message) => this.#settled(message),
      credit: () => this.#sendOn(),
      controlCredit: () => this.#settleOn(),
      lost: () => {
        if (this.#link !== link) return;
        this.#link = undefined;
        hub.ownerLost(shard);
      },
    });
    hub.ownerBack(shard);
  }

  /** Sends a batch to the shard that owns it. Without a link the lane sends it again later. */
  transmit(ackLevel: AckLevel, batch: SentBatch): void {
    if (this.#link === undefined) return;
    const packed = batch.frame.pack(batch.id, ackLevel);
    if (packed.byteLength <= pieceBytesMax) this.#unsent.push(packed);
    else {
      for (let at = 0; at < packed.byteLength; at += pieceBytesMax) {
        this.#unsent.push(packed.slice(at, at + pieceBytesMax));
      }
    }
    this.#sendOn();
  }

  #sendOn(): void {
    let sent = 0;
    while (sent < this.#unsent.length && this.#link?.transfer(this.#unsent[sent]!) === "accepted") {
      sent++;
    }
    if (sent > 0) this.#unsent.splice(0, sent);
  }

  #received(bytes: Uint8Array): void {
    const { shard, ingest, malformed } = this.#options;
    let frame: ReturnType<typeof parseFrame>;
    try {
      const whole = this.#joiner.add(bytes);
      if (whole === undefined) return;
      frame = parseFrame(whole);
    } catch (cause) {
      malformed(cause);
      return;
    }
    ingest(new OwnedBatch(shard, frame.batchId, frame.ackLevel, frame, this.#settleHere));
  }

  /** Settlements of one commit go over together. */
  #settle(batch: OwnedBatch, link: Link): void {
    this.#options.settled(batch);
    if (this.#link !== link) return; // Its sender is gone, or sends it again.
    this.#unsettled.push([
      ackLevels.indexOf(batch.ackLevel),
      batch.batchId,
      batch.rejected.map(({ index, outcome, reason, detail }) =>
        [index, outcome === "refused" ? 0 : 1, reason, (detail ?? "").slice(0, detailMax)] as const
      ),
      batch.points ?? null,
    ]);
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    queueMicrotask(() => {
      this.#flushAsked = false;
      this.#settleOn();
    });
  }

  #settleOn(): void {
    while (this.#unsettled.length > 0 && this.#link !== undefined) {
      const count = fitting(this.#unsettled);
      if (this.#link.post(this.#unsettled.slice(0, count)) !== "accepted") return;
      this.#unsettled.splice(0, count);
    }
  }

  #settled(message: unknown): void {
    const { hub, shard, malformed } = this.#options;
    if (!Array.isArray(message)) {
      return malformed(new TypeError("Cannot read settlements: not a list"));
    }
    for (const entry of message) {
      const settlement = parseSettlement(entry);
      if (settlement === undefined) {
        malformed(new TypeError("Cannot read a settlement: wrong shape"));
        continue;
      }
      const { ackLevel, batchId, rejected, points } = settlement;
      hub.settle(shard, ackLevel, batchId, rejected, points);
    }
  }
}

function parseSettlement(entry: unknown):
  | {
    readonly ackLevel: AckLevel;
    readonly batchId: number;
    readonly rejected: readonly RejectedReading[];
    readonly points: readonly number[] | undefined;
  }
  | undefined {
  if (!Array.isArray(entry)) return undefined;
  const [level, batchId, list, points]: readonly unknown[] = entry;
  const ackLevel = typeof level === "number" ? ackLevels[level] : undefined;
  if (ackLevel === undefined || typeof batchId !== "number" || !Array.isArray(list)) {
    return undefined;
  }
  const rejected: RejectedReading[] = [];
  for (const item of list) {
    const [index, outcome, reason, detail]: readonly unknown[] = Array.isArray(item) ? item : [];
    if (typeof index !== "number" || typeof reason !== "string") return undefined;
    rejected.push({
      index,
      outcome: outcome === 0 ? "refused" : "dead_lettered",
      reason,
      ...(typeof detail === "string" && detail !== "" ? { detail } : {}),
    });
  }
  return { ackLevel, batchId, rejected, points: isNumbers(points) ? points : undefined };
}

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((one) => typeof one === "number");
