/**
 * What is remembered of readings that the store has and that give way on a full disk, before the
 * states of their devices are saved: the newest fingerprints, which go on into the next segment.
 * Without them a reading that comes again after a kill would be stored twice.
 *
 * @module
 */
import { CommitGroup, type GroupDevice } from "./commit_group.ts";
import { sealGroup, type SpoolRecord } from "./record.ts";

/** Records told apart: each costs about half a KiB of memory beside its fingerprints. */
const recordsMax = 2_048;

/** Bytes of fingerprints as they stand on the disk: those of 16,000 readings. */
export const remainsBytesMax = 256 * 1024;
/** What they take in memory at most, with their records. */
export const remainsMemoryBytes = 2 * remainsBytesMax + recordsMax * 512;

interface Remembered {
  /** The record on the disk that tells of it; -1 while there is none. */
  sequence: number;
  readonly committedMs: number;
  /** The same in steady time, as near as it is known. */
  readonly steadyMs: number;
  readonly devices: readonly string[];
  readonly deviceOf: Uint32Array;
  readonly fingerprintHi: Uint32Array;
  readonly fingerprintLo: Uint32Array;
  /** About what it takes on the disk. */
  readonly bytes: number;
}

/** Fingerprints as one record without lines, and whose they are. */
export interface SealedRemains {
  readonly record: SpoolRecord;
  readonly of: readonly Remembered[];
}

/** See the module. Forgets the oldest beyond `bytesMax`, but never the newest record. */
export class Remains {
  readonly #bytesMax: number;
  /** Oldest first. */
  #all: Remembered[] = [];
  #bytes = 0;
  #carriedBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The record is on the disk; its bytes may be reused afterwards. */
  note(record: SpoolRecord, sequence: number, steadyMs: number): void {
    const { committedMs, devices, count } = record;
    const bytes = count * 16 + devices.reduce((sum, id) => sum + id.length + 4, 0);
    this.#all.push({
      sequence,
      committedMs,
      steadyMs,
      devices,
      deviceOf: record.deviceOf.slice(),
      fingerprintHi: record.fingerprintHi.slice(),
      fingerprintLo: record.fingerprintLo.slice(),
      bytes,
    });
    this.#bytes += bytes;
    while (
      this.#all.length > 1 && (this.#bytes > this.#bytesMax || this.#all.length > recordsMax)
    ) {
      const oldest = this.#all.shift()!;
      this.#bytes -= oldest.bytes;
      if (oldest.sequence < 0) this.#carriedBytes -= oldest.bytes;
    }
  }

  /** Some of `[start, end)` is remembered there and nowhere else. */
  intersects(start: number, end: number): boolean {
    return this.#all.some(({ sequence }) => sequence >= start && sequence < end);
  }

  /** `[start, end)` is gone from the disk, and what was remembered there is to go on. */
  carry(start: number, end: number): void {
    for (const one of this.#all) {
      if (one.sequence >= start && one.sequence < end) one.sequence = -1;
    }
    this.#count();
  }

  /** `[start, end)` need not be remembered. */
  forget(start: number, end: number): void {
    this.#keep(({ sequence }) => sequence < start || sequence >= end);
  }

  /** What was committed up to then, steady time in ms, is written down elsewhere. */
  saved(upToMs: number): void {
    if ((this.#all[0]?.steadyMs ?? Infinity) <= upToMs) {
      this.#keep(({ steadyMs }) => steadyMs > upToMs);
    }
  }

  /** About the bytes of what is on no disk now. */
  get carriedBytes(): number {
    return this.#carriedBytes;
  }

  /** What is on no disk now; `undefined` when there is nothing. */
  seal(): SealedRemains | undefined {
    if (this.#carriedBytes === 0) return undefined;
    const of = this.#all.filter(({ sequence }) => sequence < 0);
    const group = new CommitGroup();
    const devices = new Map<string, GroupDevice>();
    let committedMs = 0;
    for (const one of of) {
      committedMs = Math.max(committedMs, one.committedMs);
      for (let i = 0; i < one.deviceOf.length; i++) {
        const id = one.devices[one.deviceOf[i]!]!;
        const device = devices.get(id) ?? { id, groupNo: 0, slot: 0 };
        devices.set(id, device);
        group.add(device, one.fingerprintHi[i]!, one.fingerprintLo[i]!);
      }
    }
    return { record: sealGroup(group, committedMs), of };
  }

  /** It is on the disk, as this record. */
  housed({ of }: SealedRemains, sequence: number): void {
    for (const one of of) one.sequence = sequence;
    this.#count();
  }

  #keep(which: (one: Remembered) => boolean): void {
    this.#all = this.#all.filter(which);
    this.#count();
  }

  #count(): void {
    this.#bytes = this.#carriedBytes = 0;
    for (const { sequence, bytes } of this.#all) {
      this.#bytes += bytes;
      if (sequence < 0) this.#carriedBytes += bytes;
    }
  }
}
