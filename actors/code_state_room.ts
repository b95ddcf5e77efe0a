/**
 * The states that devices' code keeps: of one device, by route, and the room that the active devices
 * of a shard have for them. Those at rest are part of the device's own text, and bounded with it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { CodeStateError, type StateRefusal, stateRefusals, tooLarge } from "./code_state.ts";

export interface CodeStateRoomOptions {
  /** What the code of one device may keep, in bytes of JSON. */
  readonly deviceBytesMax: number;
  /** What all of them may keep together before nothing grows any more. */
  readonly bytesMax: number;
  /** Routes that have code. What another one has kept makes room for what these keep. */
  readonly routes: ReadonlySet<string>;
  readonly onRefused?: (device: string, route: string, refusal: CodeStateError) => void;
}

/** What the devices of a shard share. */
export class CodeStateRoom {
  readonly options: CodeStateRoomOptions;
  /** Bytes of what active devices keep. */
  bytes = 0;
  /** States that were not kept. */
  readonly refused: Record<StateRefusal, number> = {
    threw: 0,
    not_json: 0,
    too_large: 0,
    no_room: 0,
  };

  constructor(options: CodeStateRoomOptions) {
    this.options = options;
  }

  refuse(device: string, route: string, refusal: CodeStateError): void {
    this.refused[refusal.reason]++;
    this.options.onRefused?.(device, route, refusal);
  }

  /** By metric name. */
  counters(): Record<string, number> {
    return Object.fromEntries(
      stateRefusals.map((reason) => [
        `sluice_device_code_states_refused_total{reason="${reason}"}`,
        this.refused[reason],
      ]),
    );
  }
}

/** What the code of one device keeps. Whoever drops it releases it first. */
export class CodeStates {
  readonly #room: CodeStateRoom;
  readonly #texts = new Map<string, string>();
  #bytes = 0;

  constructor(room: CodeStateRoom) {
    this.#room = room;
  }

  get size(): number {
    return this.#texts.size;
  }

  entries(): IterableIterator<[route: string, text: string]> {
    return this.#texts.entries();
  }

  get(route: string): string | undefined {
    return this.#texts.get(route);
  }

  /** What was kept before: it is taken in any case. */
  restore(route: string, text: string): void {
    this.#texts.set(route, text);
    this.#take(Buffer.byteLength(text));
  }

  /** Keeps the text in place of the one before; gives why not. */
  keep(route: string, text: string): CodeStateError | undefined {
    const before = this.#texts.get(route);
    if (before === text) return undefined;
    const { deviceBytesMax, bytesMax, routes } = this.#room.options;
    if (before === undefined) {
      for (const other of this.#texts.keys()) if (!routes.has(other)) this.#drop(other);
    }
    const bytes = Buffer.byteLength(text);
    const growth = bytes - (before === undefined ? 0 : Buffer.byteLength(before));
    if (growth > 0 && this.#bytes + growth > deviceBytesMax) {
      return tooLarge(`${bytes}, with other routes ${this.#bytes + growth},`, deviceBytesMax);
    }
    if (growth > 0 && this.#room.bytes + growth > bytesMax) {
      return new CodeStateError(
        "no_room",
        `what the code of all active devices of this shard keeps takes ${this.#room.bytes} bytes ` +
          `of ${bytesMax}; raise limits.memoryBytesMax, or keep less`,
      );
    }
    this.#texts.set(route, text);
    this.#take(growth);
    return undefined;
  }

  /** Gives the room back. */
  release(): void {
    this.#take(-this.#bytes);
  }

  #drop(route: string): void {
    this.#take(-Buffer.byteLength(this.#texts.get(route) ?? ""));
    this.#texts.delete(route);
  }

  #take(bytes: number): void {
    this.#bytes += bytes;
    this.#room.bytes += bytes;
  }
}
