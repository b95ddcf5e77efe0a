/**
 * Actors by key: made when the first message for a key comes, passivated when they have been idle,
 * made again by the next message. A handle stays good through all of that.
 *
 * No actor has a timer for this and no message pays for it: a sweep compares how much mail each
 * mailbox has ever taken with what it was at the last visit. When too many are active, the same
 * comparison gives the clock algorithm's approximation of least recently used.
 *
 * @module
 */
import type { Actor, ActorRef, ChildSpec, Context, SupervisionSpec } from "./actor.ts";
import type { Cell } from "./cell.ts";
import { KeyedRef } from "./keyed_ref.ts";
import { type CellSettings, cellSettings } from "./settings.ts";
import type { WatchableRef } from "./watch.ts";

/**
 * Actors of one kind, one for each key. State that must outlive passivation or a crash is saved in
 * `stopped` and read back in `start`.
 */
export interface KeyedSpec<M> extends Omit<ChildSpec<M>, "start" | "restart" | "supervision"> {
  readonly start: (key: string, context: Context<M>) => Actor<M>;
  /** An actor without mail for this long is passivated. At most 1/8 longer. Default 120,000 ms. */
  readonly idleMs?: number;
  /** How many may be active; more, and the least recently used are passivated. Default 100,000. */
  readonly activeMax?: number;
  /** Default: 3 restarts in 5000 ms for each key, then quarantine. Always one_for_one. */
  readonly supervision?: Omit<SupervisionSpec, "strategy">;
}

const supervisionDefault = {
  intensity: 3,
  periodMs: 5_000,
  onExceeded: "quarantine",
} as const;

/** Actors looked at in one turn of the sweep. */
const sweepChunk = 1_000;
/** Actors to choose from when room is needed, and how many to look at for them. */
const roomSample = 16;
const roomSearchMax = 64;

/** Groups made so far in this Worker. */
let groups = 0;

/** A group of keyed actors; made by `spawnKeyed`. */
export class Keyed<M> {
  /** For handles: no other group has it, also in a system of the same name. */
  readonly number = ++groups;
  readonly path: string;
  readonly #group: Cell;
  readonly #settings: CellSettings;
  readonly #idleMs: number;
  readonly #activeMax: number;
  /** Passivation takes a turn: this many may be active meanwhile beyond the maximum. */
  readonly #activeSlack: number;
  #sweeper: Iterator<Cell, unknown> | undefined;
  #hand: Iterator<Cell, unknown> | undefined;
  #activations = 0;
  #refused = 0;

  constructor(parent: Cell, spec: KeyedSpec<M>) {
    const { idleMs = 120_000, activeMax = 100_000 } = spec;
    if (!(idleMs > 0)) {
      throw new RangeError(`Cannot key ${spec.id}: idleMs ${idleMs} is not above 0`);
    }
    if (!(activeMax >= 1)) {
      throw new RangeError(`Cannot key ${spec.id}: activeMax ${activeMax} is below 1`);
    }
    this.#idleMs = idleMs;
    this.#activeMax = activeMax;
    this.#activeSlack = Math.max(16, activeMax >> 6);
    const kind = spec.kind ?? spec.id;
    const supervision = {
      ...supervisionDefault,
      ...spec.supervision,
      strategy: "one_for_one",
    } as const;
    const { start, supervision: _own, ...rest } = spec;
    this.#settings = cellSettings<M>(
      { ...rest, kind, start: (context) => start(context.id, context) },
      { passivates: true },
    );
    const group = cellSettings<"sweep">({
      kind: `${kind}-group`,
      start: (context) => this.#startSweeping(context),
      mailbox: { countMax: 1 },
      supervision,
    }, { stopChildren: "together" });
    this.#group = parent.adopt(spec.id, group);
    this.path = this.#group.path;
  }

  /** Active actors, quarantined ones included. */
  get active(): number {
    return this.#group.children?.size ?? 0;
  }

  /** Actors made on demand so far. */
  get activations(): number {
    return this.#activations;
  }

  /** Messages answered `full` because no actor could make room for another. */
  get refused(): number {
    return this.#refused;
  }

  /** The handle of `key`, which need not be active. Equal keys may get different handles. */
  ref(key: string): ActorRef<M> {
    return this.find(key)?.self ?? new KeyedRef(this, key);
  }

  /** Whether `key` is active now. */
  has(key: string): boolean {
    return this.find(key) !== undefined;
  }

  /** Passivates `key` if nothing waits for it; false when it is busy or not active. */
  passivate(key: string): boolean {
    const cell = this.find(key);
    return cell !== undefined && passivate(cell);
  }

  /** Whether the actor of `key` is quarantined now. */
  isQuarantined(key: string): boolean {
    return this.find(key)?.state === "quarantined";
  }

  /** Gives a quarantined key another chance; false when it is not quarantined. */
  release(key: string): boolean {
    return this.find(key)?.release() ?? false;
  }

  /** For handles: the active actor of `handle.key`, made if need be. */
  activate(handle: KeyedRef<M>): Cell | "full" | "stopped" {
    const group = this.#group;
    const found = group.children?.get(handle.key);
    // One that is being stopped is gone soon, and then there is room for its successor.
    if (found !== undefined) return found.state === "stopping" ? "full" : found;
    if (group.state !== "running") return group.refuses ? "stopped" : "full";
    if (this.active >= this.#activeMax) {
      this.#makeRoom();
      // The second one pays back what went beyond the maximum.
      if (this.active > this.#activeMax) this.#makeRoom();
      if (this.active >= this.#activeMax + this.#activeSlack) {
        this.#refused++;
        return "full";
      }
    }
    this.#activations++;
    handle.reset(group.host.clock.monotonic());
    return group.adopt(handle.key, this.#settings, handle);
  }

  /** For handles: the parent of all its actors. */
  get group(): WatchableRef {
    return this.#group;
  }

  /** For handles: the active actor of `key`. */
  find(key: string): Cell | undefined {
    return this.#group.children?.get(key);
  }

  /** Passivates the longest idle of a sample: like Redis, near enough to LRU and without a list. */
  #makeRoom(): void {
    const nowMs = this.#group.host.clock.monotonic();
    let victim: Cell | undefined;
    let longestMs = -1;
    for (let looked = 0; looked < roomSearchMax; looked++) {
      if (victim !== undefined && looked >= roomSample) break;
      const next = this.#hand?.next();
      if (next === undefined || next.done === true) {
        this.#hand = this.#group.children?.values();
        continue;
      }
      const idleMs = idleMsOf(next.value, nowMs);
      if (idleMs <= longestMs || next.value.busy) continue;
      victim = next.value;
      longestMs = idleMs;
    }
    if (victim !== undefined) passivate(victim);
  }

  #startSweeping(context: Context<"sweep">): Actor<"sweep"> {
    const restMs = this.#idleMs / 8;
    context.startTimer("sweep", restMs, "sweep");
    return {
      receive: () => {
        if (this.#sweep()) context.self.tell("sweep");
        else context.startTimer("sweep", restMs, "sweep");
      },
    };
  }

  /** Looks at some of the actors; true when there are more. */
  #sweep(): boolean {
    const nowMs = this.#group.host.clock.monotonic();
    this.#sweeper ??= this.#group.children?.values();
    for (let looked = 0; looked < sweepChunk; looked++) {
      const next = this.#sweeper?.next();
      if (next === undefined || next.done === true) {
        this.#sweeper = undefined;
        return false;
      }
      if (idleMsOf(next.value, nowMs) >= this.#idleMs) passivate(next.value);
    }
    return true;
  }
}

function idleMsOf(cell: Cell, nowMs: number): number {
  return cell.self instanceof KeyedRef ? cell.self.visit(cell, nowMs) : -1;
}

function passivate(cell: Cell): boolean {
  if (cell.busy) return false;
  // Nobody wrote to a quarantined key for long: it may be forgotten.
  if (cell.state === "quarantined") cell.end("quarantined", "stopped");
  else if (cell.state === "running") cell.end("passivated", "passivated");
  else return false;
  return true;
}
