/**
 * Devices whose readings the store has lately refused. Their readings are written apart, so that one
 * device with the wrong field type does not send every batch it is in through the bisection.
 *
 * @module
 */
import type { SpoolRecord } from "../spool/record.ts";
import { Piece } from "./piece.ts";

const devicesMax = 1_000;
const suspicionMs = 60_000;

/** See the module. Monotonic ms. */
export class Suspects {
  /** Until when, by device id; the longest known first. */
  readonly #until = new Map<string, number>();

  get count(): number {
    return this.#until.size;
  }

  /** The store refused a reading of this device. */
  add(device: string, nowMs: number): void {
    this.#until.delete(device);
    this.#until.set(device, nowMs + suspicionMs);
    if (this.#until.size > devicesMax) this.#until.delete(this.#until.keys().next().value!);
  }

  /** Parts a record into the readings of devices in good standing, and the others. */
  part(record: SpoolRecord, nowMs: number): { good: Piece[]; suspect: Piece[] } {
    const slots = this.#suspectSlots(record, nowMs);
    if (slots === undefined) return { good: [new Piece(record)], suspect: [] };
    const good: Piece[] = [];
    const suspect: Piece[] = [];
    const { deviceOf, count } = record;
    for (let from = 0, to = 1; from < count; from = to++) {
      const bad = slots.has(deviceOf[from]!);
      while (to < count && slots.has(deviceOf[to]!) === bad) to++;
      (bad ? suspect : good).push(new Piece(record, from, to));
    }
    return { good, suspect };
  }

  #suspectSlots(record: SpoolRecord, nowMs: number): Set<number> | undefined {
    if (this.#until.size === 0) return undefined;
    const slots = new Set<number>();
    for (const [slot, device] of record.devices.entries()) {
      const untilMs = this.#until.get(device);
      if (untilMs === undefined) continue;
      if (untilMs > nowMs) slots.add(slot);
      else this.#until.delete(device);
    }
    return slots.size === 0 ? undefined : slots;
  }
}
