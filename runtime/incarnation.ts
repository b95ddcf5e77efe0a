/**
 * One life of an actor: its behaviour and everything that goes with it when it crashes (children,
 * timers, watches). It is the context that the behaviour's handlers get. What lasts longer, the
 * address and the mail, is the cell's.
 *
 * @module
 */
import type { Actor, ActorRef, ChildSpec, Context, Signal } from "./actor.ts";
import { askWith } from "./ask.ts";
import type { Cell } from "./cell.ts";
import { Children } from "./children.ts";
import type { Clock } from "./clock.ts";
import { Keyed, type KeyedSpec } from "./keyed.ts";
import { ReceiveTimeout } from "./receive_timeout.ts";
import { childSettings } from "./settings.ts";
import { Stash } from "./stash.ts";
import { type TimerEntry, Timers } from "./timers.ts";
import { isWatchable, Watch } from "./watch.ts";

export class Incarnation implements Context<unknown> {
  readonly #cell: Cell;
  #behaviour: Actor<unknown> | undefined;
  #children: Children | undefined;
  #stash: Stash | undefined;
  #timers: Timers | undefined;
  #receiveTimeout: ReceiveTimeout | undefined;
  /** By the identity of what is watched. */
  #watching: Map<unknown, Watch> | undefined;
  /** Released: what would outlast it is not begun any more. */
  #over = false;
  /** Results that the actor asked for and that have not come yet. */
  #awaited = 0;

  constructor(cell: Cell) {
    this.#cell = cell;
  }

  // --- For the cell.

  /** Absent while it is being made, and when its making failed. */
  get behaviour(): Actor<unknown> | undefined {
    return this.#behaviour;
  }

  get children(): Children | undefined {
    return this.#children;
  }

  /** Makes the behaviour. Throws what the actor's own code throws. */
  start(): Actor<unknown> {
    const behaviour = this.#cell.settings.start(this);
    this.#behaviour = behaviour;
    behaviour.started?.(this);
    return behaviour;
  }

  /** Waits for a result of its own: no moment to passivate it. */
  get awaiting(): boolean {
    return this.#awaited > 0;
  }

  addChild(child: Cell): void {
    (this.#children ??= new Children(this.#cell)).add(child);
  }

  /** Noted for the receive timeout. */
  messageCame(): void {
    this.#receiveTimeout?.touch();
  }

  /** `source` is what the actor had asked for, and may have switched off since. */
  signal(signal: Signal, source?: Watch | ReceiveTimeout): void {
    if (source instanceof Watch) {
      if (this.#watching?.get(source.ref.identity) !== source) return;
      this.#watching.delete(source.ref.identity);
    } else if (source !== undefined && source !== this.#receiveTimeout) return;
    this.#behaviour?.signal?.(signal, this);
  }

  /** Whether a timer that fired is still wanted. */
  claims(entry: TimerEntry): boolean {
    return this.#timers?.claim(entry) ?? false;
  }

  takeStash(): unknown[] {
    return this.#stash?.takeAll() ?? [];
  }

  /** Lets go of timers and watches: the end has begun. */
  release(): void {
    this.#over = true;
    this.#timers?.clear();
    this.#receiveTimeout?.clear();
    for (const watch of this.#watching?.values() ?? []) watch.ref.removeWatcher(watch);
    this.#timers = this.#receiveTimeout = this.#watching = undefined;
  }

  // --- As the context.

  get self(): ActorRef<unknown> {
    return this.#cell.self;
  }

  get id(): string {
    return this.#cell.id;
  }

  get path(): string {
    return this.#cell.path;
  }

  get clock(): Clock {
    return this.#cell.host.clock;
  }

  spawn<C>(spec: ChildSpec<C>, id = spec.id): ActorRef<C> {
    return this.#cell.adopt(id, childSettings(spec)).self;
  }

  spawnKeyed<C>(spec: KeyedSpec<C>): Keyed<C> {
    return new Keyed(this.#cell, spec);
  }

  child<C = never>(id: string): ActorRef<C> | undefined {
    return this.#children?.get(id)?.self;
  }

  stop(ref: ActorRef<never>): void {
    if (ref === this.self) return this.#cell.complete();
    const child = this.#children?.find(ref);
    if (child === undefined) throw new Error(`Cannot stop ${ref.path}: no child of ${this.path}`);
    child.end("stopped", "stopped");
  }

  watch(ref: ActorRef<never>): void {
    if (!isWatchable(ref)) throw new TypeError(`Cannot watch ${ref.path}: it is no actor`);
    if (this.#over) return;
    this.#watching ??= new Map();
    const known = this.#watching.get(ref.identity);
    if (known?.told === false) return;
    const watch = new Watch(ref, (source, ref, reason) => {
      this.#cell.put({ kind: "signal", signal: { kind: "terminated", ref, reason }, source });
    });
    this.#watching.set(ref.identity, watch);
    ref.addWatcher(watch);
  }

  unwatch(ref: ActorRef<never>): void {
    if (!isWatchable(ref)) return;
    const watch = this.#watching?.get(ref.identity);
    if (watch === undefined) return;
    watch.ref.removeWatcher(watch);
    this.#watching?.delete(ref.identity);
  }

  startTimer(key: string, delayMs: number, message: unknown): void {
    if (Number.isNaN(delayMs)) {
      throw new RangeError(`Cannot start the timer ${key} of ${this.path}: a delay of NaN ms`);
    }
    if (this.#over) return;
    this.#timers ??= new Timers(this.clock, (entry) => this.#cell.put({ kind: "timer", entry }));
    this.#timers.start(key, delayMs, message);
  }

  cancelTimer(key: string): void {
    this.#timers?.cancel(key);
  }

  setReceiveTimeout(delayMs: number | undefined): void {
    if (delayMs !== undefined && !(delayMs > 0)) {
      throw new RangeError(
        `Cannot set the receive timeout of ${this.path}: 0 < ${delayMs} ms does not hold`,
      );
    }
    this.#receiveTimeout?.clear();
    this.#receiveTimeout = undefined;
    if (delayMs === undefined || this.#over) return;
    const source = new ReceiveTimeout(
      this.clock,
      delayMs,
      () => this.#cell.put({ kind: "signal", signal: { kind: "receive_timeout" }, source }),
    );
    this.#receiveTimeout = source;
  }

  giveWay(): void {
    this.#cell.host.dispatcher.giveWay();
  }

  stash(message: unknown): boolean {
    this.#stash ??= new Stash(this.#cell.settings.stashMax, this.#cell.settings.bounds);
    return this.#stash.put(message);
  }

  unstashAll(): void {
    this.#cell.putBack(this.takeStash());
  }

  pipe<T>(
    promise: Promise<T>,
    ok: (value: T) => unknown,
    failed: (cause: unknown) => unknown,
  ): void {
    this.#awaited++;
    promise.then(
      (value) => this.#result(value, () => ok(value)),
      (cause: unknown) => this.#result(cause, () => failed(cause)),
    );
  }

  ask<Q, R>(
    to: ActorRef<Q>,
    make: (replyTo: ActorRef<R>) => Q,
    deadlineMs: number,
    ok: (reply: R) => unknown,
    failed: (cause: Error) => unknown,
  ): void {
    this.#awaited++;
    try {
      askWith<Q, R>(
        this.#cell.host,
        to,
        make,
        deadlineMs,
        (reply) => this.#result(reply, () => ok(reply)),
        // That nothing came is no mail: nobody misses it when the actor ends.
        (cause) => this.#cell.refuses || this.#result(cause, () => failed(cause)),
      );
    } catch (thrown) {
      this.#awaited--; // It was not asked, so nothing comes back.
      throw thrown;
    }
  }

  #result(value: unknown, make: () => unknown): void {
    this.#awaited--;
    this.#cell.put({ kind: "result", value, make });
  }
}
