/**
 * The actors of this Worker that the other end of a link holds refs to. An actor is entered when a
 * ref to it is first sent, and leaves when the other end has let go of it as often as it was sent.
 * An address for one answer leaves with the answer, or some time after its deadline.
 *
 * @module
 */
import type { ActorRef } from "./actor.ts";
import { isOneShot, type OneShotRef } from "./remote_ref.ts";

interface Export {
  readonly id: number;
  readonly ref: ActorRef<unknown>;
  readonly oneShot: OneShotRef<never> | undefined;
  /** Times it was sent and not let go of. */
  held: number;
}

const sweepCountMin = 1024;

export class RemoteExports {
  readonly #countMax: number;
  readonly #byId = new Map<number, Export>();
  readonly #byRef = new Map<ActorRef<unknown>, Export>();
  /** Those in the message that is being written. */
  readonly #writing: Export[] = [];
  #nextId = 1;
  #sweepAt = sweepCountMin;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get count(): number {
    return this.#byId.size;
  }

  get(id: number): ActorRef<unknown> | undefined {
    return this.#byId.get(id)?.ref;
  }

  /** The number under which the other end may send to `ref`. */
  idOf(ref: ActorRef<unknown>): number {
    let entry = this.#byRef.get(ref);
    if (entry === undefined) {
      if (this.#byId.size >= Math.min(this.#sweepAt, this.#countMax)) this.#sweep();
      if (this.#byId.size >= this.#countMax) {
        throw new RangeError(
          `Cannot send a ref to ${ref.path}: the other Worker holds ${this.#countMax} already`,
        );
      }
      entry = { id: this.#nextId++, ref, oneShot: isOneShot(ref) ? ref : undefined, held: 0 };
      this.#byId.set(entry.id, entry);
      this.#byRef.set(ref, entry);
    }
    this.#writing.push(entry);
    return entry.id;
  }

  /** The message that was being written is on its way, or was dropped. */
  written(kept: boolean): void {
    for (const entry of this.#writing) {
      if (kept) entry.held++;
      else if (entry.held === 0) this.#remove(entry);
    }
    this.#writing.length = 0;
  }

  /** The other end let go of a ref that it had been sent `times`. */
  released(id: number, times: number): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    entry.held -= times;
    if (entry.held <= 0) this.#remove(entry);
  }

  /** The actor that a message is for; a ref for one answer is used up by that. */
  take(id: number): ActorRef<unknown> | undefined {
    const entry = this.#byId.get(id);
    if (entry?.oneShot !== undefined) this.#remove(entry);
    return entry?.ref;
  }

  clear(): void {
    this.#byId.clear();
    this.#byRef.clear();
  }

  /** Forgets answers that nobody waits for; seldom, so that each costs little. */
  #sweep(): void {
    for (const entry of this.#byId.values()) {
      if (entry.oneShot?.open === false) this.#remove(entry);
    }
    this.#sweepAt = Math.max(sweepCountMin, 2 * this.#byId.size);
  }

  #remove(entry: Export): void {
    this.#byId.delete(entry.id);
    this.#byRef.delete(entry.ref);
  }
}
