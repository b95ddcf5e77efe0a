/**
 * What gathers while the previous commit is being synced: the lines of many readings, and beside
 * them what recovery needs to know of each reading. One group is reused for ever; sealing it copies
 * its content into a record and opens it again.
 *
 * @module
 */
import { LineBuffer } from "../line_buffer.ts";

/**
 * A device as the group knows it. The caller keeps one per device and hands in the same object each
 * time: `groupNo` and `slot` remember its place in the group's device table, so no id is hashed.
 * A new one starts with `groupNo: 0`.
 */
export interface GroupDevice {
  readonly id: string;
  groupNo: number;
  slot: number;
}

/** Told once when all that was added before it is safe. */
export interface Completion {
  complete(): void;
}

/**
 * The open group of a spool.
 *
 * @example
 * ```ts
 * import { CommitGroup } from "./commit_group.ts";
 * import assert from "node:assert/strict";
 *
 * const group = new CommitGroup();
 * const device = { id: "RPi_1", groupNo: 0, slot: 0 };
 * group.lines.appendText("room temp=21.5 1574729660000000000\n");
 * group.add(device, 0x1234, 0x5678);
 * group.lines.appendText("never mind");
 * group.rollback();
 * assert.equal(group.count, 1);
 * assert.equal(group.lines.length, 35);
 * ```
 */
export class CommitGroup {
  /** Line protocol of the readings added so far, and of the one being encoded. */
  readonly lines = new LineBuffer();
  /** Distinguishes one filling from the next; never 0. */
  groupNo = 1;
  /** Readings added. */
  count = 0;
  /** Per reading, up to `count`: offset in `lines` just past its last line. */
  lineEnds: Uint32Array<ArrayBuffer>;
  /** Per reading: index into `devices`. */
  deviceOf: Uint32Array<ArrayBuffer>;
  /** Per reading: the two halves of its fingerprint. */
  fingerprintHi: Uint32Array<ArrayBuffer>;
  fingerprintLo: Uint32Array<ArrayBuffer>;
  devices: string[] = [];
  /** The same ids in UTF-8, end to end, and where each ends. */
  readonly deviceIds = new LineBuffer(4 * 1024);
  readonly deviceEnds: number[] = [];
  /** Completed once the group is synced. */
  durable: Completion[] = [];
  /** Completed once every reading of the group is in the store, or is a dead letter. */
  stored: Completion[] = [];
  #closed = 0;

  constructor(capacity = 1024) {
    this.lineEnds = new Uint32Array(capacity);
    this.deviceOf = new Uint32Array(capacity);
    this.fingerprintHi = new Uint32Array(capacity);
    this.fingerprintLo = new Uint32Array(capacity);
  }

  /** Nothing to make durable and nobody waits. */
  get empty(): boolean {
    return this.count === 0 && this.durable.length === 0 && this.stored.length === 0;
  }

  /** Closes one reading: its lines are those appended since the last `add` or `rollback`. */
  add(device: GroupDevice, fingerprintHi: number, fingerprintLo: number): void {
    const at = this.count;
    if (at === this.lineEnds.length) this.#grow();
    if (device.groupNo !== this.groupNo) {
      device.groupNo = this.groupNo;
      device.slot = this.devices.length;
      this.devices.push(device.id);
      this.deviceIds.appendText(device.id);
      this.deviceEnds.push(this.deviceIds.length);
    }
    this.#closed = this.lines.length;
    this.lineEnds[at] = this.#closed;
    this.deviceOf[at] = device.slot;
    this.fingerprintHi[at] = fingerprintHi;
    this.fingerprintLo[at] = fingerprintLo;
    this.count = at + 1;
  }

  /** Takes back the lines of a reading that was not added. */
  rollback(): void {
    this.lines.length = this.#closed;
  }

  /** Opens it again, empty. The arrays of completions are handed over, not reused. */
  reset(): void {
    this.groupNo++;
    this.count = 0;
    this.lines.length = 0;
    this.#closed = 0;
    this.devices = [];
    this.deviceIds.length = 0;
    this.deviceEnds.length = 0;
    this.durable = [];
    this.stored = [];
  }

  #grow(): void {
    const capacity = this.lineEnds.length * 2;
    this.lineEnds = grown(this.lineEnds, capacity);
    this.deviceOf = grown(this.deviceOf, capacity);
    this.fingerprintHi = grown(this.fingerprintHi, capacity);
    this.fingerprintLo = grown(this.fingerprintLo, capacity);
  }
}

function grown(from: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(capacity);
  to.set(from);
  return to;
}
