/**
 * Where a QoS 2 message of a kept session went among the members of shared subscriptions. It is
 * written down with the message: when its shard dies before it could tell others, it is sent to the
 * same ones again, and not to another member that never was to have it.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** A shared subscription, one member of which is to have a message. */
export interface ShareTurn {
  /** `$share/group/filter`. */
  readonly name: string;
  /** How often it went on to another shard, or to another member, before it came there. */
  readonly turn: number;
}

/** The subscription, the shard that was to choose a member, and its {@linkcode ShareTurn}'s turn. */
export type SharedOut = readonly [name: string, shard: number, turn: number];

/** A QoS 2 message of a kept session. */
export interface Marked {
  /** It is known by this wherever it is sent on to, over a kill of the shard that does so. */
  readonly mark: string;
  /**
   * Its queues have it, and whoever else it is for may have it, too; with where it was among those
   * who share when its publisher came back.
   */
  readonly again: readonly SharedOut[] | undefined;
  /** It was sent before a restart of the process: who does not share and is connected came later. */
  readonly sharedOnly: boolean;
  /** Where it goes among those who share, as far as it is to be written down. */
  chose(shares: readonly SharedOut[]): void;
}

/**
 * What a message is known by to a shard that is to choose a member of this subscription. By another
 * name each time: one that went on and comes back is not what it was.
 */
export function shareMark(mark: string, { name, turn }: ShareTurn): string {
  const hash = createHash("sha256").update(name).digest("base64").slice(0, 12);
  return turn === 0 ? `${mark}.${hash}` : `${mark}.${hash}${turn}`;
}

/** What is written of one message: a publisher has up to its receive maximum of them. */
const bytesMax = 4_096;
const utf8 = new TextEncoder();

/** The first of them, as many as are written. */
export function writtenShares(shares: readonly SharedOut[]): readonly SharedOut[] {
  let bytes = 2;
  const over = shares.findIndex((share) => {
    bytes += utf8.encode(JSON.stringify(share)).length + 1;
    return bytes > bytesMax;
  });
  return over < 0 ? shares : shares.slice(0, over);
}

/** What stands in a file is believed as far as it makes sense. */
export function parseSharedOut(text: unknown): SharedOut[] {
  const entries = typeof text === "string" ? parsed(text) : undefined;
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: unknown): SharedOut[] => {
    const [name, shard, turn = 0]: readonly unknown[] = Array.isArray(entry) ? entry : [];
    if (typeof name !== "string" || typeof shard !== "number") return [];
    return [[name, shard, typeof turn === "number" ? turn : 0]]; // An earlier Sluice knew no turns.
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
