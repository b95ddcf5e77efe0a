/**
 * The actor system: the root of the tree and the services all of its actors share. One Worker has
 * one; time, randomness and scheduling come in from outside.
 *
 * @module
 */
import type { ActorRef, ChildSpec, SupervisionSpec } from "./actor.ts";
import { askWith } from "./ask.ts";
import { Cell } from "./cell.ts";
import type { CellHost, SupervisionEvent } from "./cell_host.ts";
import { type Clock, systemClock } from "./clock.ts";
import { DeadLetters } from "./dead_letters.ts";
import { Deadlines } from "./deadlines.ts";
import { Dispatcher, type DispatcherOptions } from "./dispatcher.ts";
import type { Failure } from "./failure.ts";
import { type ActorView, type KindSummary, summarize, viewOf } from "./inspect.ts";
import { Keyed, type KeyedSpec } from "./keyed.ts";
import type { Random } from "./random.ts";
import { Registry } from "./registry.ts";
import { cellSettings, childSettings, pathIds } from "./settings.ts";

/** What a system may be given; everything has a default. */
export interface SystemOptions {
  /** First step of every path. Default `system`. */
  readonly name?: string;
  /** Default: the machine's own. */
  readonly clock?: Clock;
  /** For jitter. */
  readonly random?: Random;
  readonly dispatcher?: DispatcherOptions;
  /** Rules for the top-level actors. `escalate` stops the system. */
  readonly supervision?: SupervisionSpec;
  /** Called for each end of an actor that its supervisor decided on: for the log. */
  readonly onSupervision?: (event: SupervisionEvent) => void;
  /** Called when `stopped` threw, rejected or overran its deadline. */
  readonly onStopFault?: (path: string, failure: Failure) => void;
}

/**
 * The actors of one Worker.
 *
 * @example
 * ```ts
 * import { ActorSystem } from "./system.ts";
 * import type { ActorRef } from "./actor.ts";
 * import assert from "node:assert/strict";
 *
 * type Counting = { add: number } | { read: ActorRef<number> };
 *
 * const system = new ActorSystem();
 * const counter = system.spawn<Counting>({
 *   id: "counter",
 *   start: () => {
 *     let sum = 0;
 *     return {
 *       receive(message) {
 *         if ("add" in message) sum += message.add;
 *         else message.read.tell(sum);
 *       },
 *     };
 *   },
 * });
 * counter.tell({ add: 2 });
 * counter.tell({ add: 3 });
 * assert.equal(await system.ask(counter, (read: ActorRef<number>) => ({ read }), 1000), 5);
 * await system.stop();
 * ```
 */
export class ActorSystem {
  readonly clock: Clock;
  readonly deadLetters = new DeadLetters();
  readonly registry = new Registry();
  readonly dispatcher: Dispatcher;
  /** Settles when everything has ended; with the failure that brought the system down, if one did. */
  readonly terminated: Promise<Failure | undefined>;
  readonly #deadlines: Deadlines;
  readonly #root: Cell;
  readonly #restarts = new Map<string, number>();
  #stopFaults = 0;
  #reportFailures = 0;
  #failure: Failure | undefined;

  constructor(options: SystemOptions = {}) {
    const { name = "system", clock = systemClock, random = Math.random } = options;
    const ended = Promise.withResolvers<Failure | undefined>();
    this.clock = clock;
    this.terminated = ended.promise;
    this.dispatcher = new Dispatcher(options.dispatcher);
    this.#deadlines = new Deadlines(clock);
    const host: CellHost = {
      clock,
      random,
      dispatcher: this.dispatcher,
      deadLetters: this.deadLetters,
      deadlines: this.#deadlines,
      supervised: (event) => this.#report(() => options.onSupervision?.(event)),
      restarted: (kind) => this.#restarts.set(kind, (this.#restarts.get(kind) ?? 0) + 1),
      stopFault: (path, failure) => {
        this.#stopFaults++;
        this.#report(() => options.onStopFault?.(path, failure));
      },
      rootFailed: (failure) => this.#failure = failure,
      rootEnded: () => {
        this.#deadlines.close();
        ended.resolve(this.#failure);
      },
    };
    const { supervision } = options;
    const settings = cellSettings<never>({
      kind: "root",
      start: () => ({ receive() {} }),
      ...(supervision === undefined ? {} : { supervision }),
    });
    this.#root = new Cell(host, undefined, name, settings);
  }

  /** Starts a top-level actor. A second one of the same id is an error. */
  spawn<M>(spec: ChildSpec<M>): ActorRef<M> {
    return this.#root.adopt(spec.id, childSettings(spec)).self;
  }

  /** Starts a top-level group of keyed actors. */
  spawnKeyed<M>(spec: KeyedSpec<M>): Keyed<M> {
    return new Keyed(this.#root, spec);
  }

  /** The question of one who is no actor. Rejects with an `AskError`. */
  ask<Q, R>(
    to: ActorRef<Q>,
    make: (replyTo: ActorRef<R>) => Q,
    deadlineMs: number,
  ): Promise<R> {
    const host = { deadlines: this.#deadlines, deadLetters: this.deadLetters };
    return new Promise((resolve, reject) => askWith(host, to, make, deadlineMs, resolve, reject));
  }

  /** Stops a top-level actor; it is not started again. */
  stopActor(ref: ActorRef<never>): void {
    const cell = this.#root.children?.find(ref);
    if (cell === undefined) throw new Error(`Cannot stop ${ref.path}: no top-level actor`);
    cell.end("stopped", "stopped");
  }

  /** Gives the quarantined actor at `path` another chance; false when there is none. */
  release(path: string): boolean {
    return this.#find(path)?.release() ?? false;
  }

  /** The tree, or the part of it below `path`. */
  inspect(
    options: { readonly path?: string; readonly childrenMax?: number } = {},
  ): ActorView | undefined {
    const cell = options.path === undefined ? this.#root : this.#find(options.path);
    return cell === undefined ? undefined : viewOf(cell, options.childrenMax ?? 100);
  }

  /** Sums by kind, over all live actors. */
  summary(): ReadonlyMap<string, KindSummary> {
    return summarize(this.#root);
  }

  /** Restarts by kind since the start, those of actors that are gone included. */
  get restartsByKind(): ReadonlyMap<string, number> {
    return this.#restarts;
  }

  /** Times that `stopped` threw, rejected or overran its deadline. */
  get stopFaults(): number {
    return this.#stopFaults;
  }

  /** Stops every actor, the last started first, each within its own deadline. */
  stop(): Promise<Failure | undefined> {
    this.#root.end("shutdown", "stopped");
    return this.terminated;
  }

  /** Times that `onSupervision` or `onStopFault` threw. */
  get reportFailures(): number {
    return this.#reportFailures;
  }

  #report(report: () => void): void {
    try {
      report();
    } catch {
      this.#reportFailures++;
    }
  }

  #find(path: string): Cell | undefined {
    const [name, ...ids] = pathIds(path);
    let cell: Cell | undefined = name === this.#root.id ? this.#root : undefined;
    for (const id of ids) cell = cell?.children?.get(id);
    return cell;
  }
}
