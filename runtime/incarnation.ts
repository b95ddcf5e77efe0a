/**
 * One life of an actor: its behaviour and everything that goes with it when it crashes (children,
 * timers, watches). It is the context that the behaviour's handlers get. What lasts longer, the
 * address and the mail, is the cell's.
 *
 * @module
 */
import type { Actor, ActorRef, ChildSpec, Context, Signal, StopReason } from "./actor.ts";
import { askWith } from "./ask.ts";
import type { Cell } from "./cell.ts";
import { Children } from "./children.ts";
import type { Clock } from "./clock.ts";
import { Keyed, type KeyedSpec } from "./keyed.ts";
import { ReceiveTimeout } from "./receive_timeout.ts";
import { childSettings } from "./settings.ts";
import { Stash } from "./stash.ts";
import { type TimerEntry, Timers } from "./timers.ts";
import { isWatchable, type WatchableRef, type Watcher } from "./watch.ts";

export class Incarnation implements Context<unknown>, Watcher {
  readonly #cell: Cell;
  #behaviour: Actor<unknown> | undefined;
  #children: Children | undefined;
  #stash: Stash | undefined;
  #timers: Timers | undefined;
  #receiveTimeout: ReceiveTimeout | undefined;
  #watching: Map<string, WatchableRef> | undefined;
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

  signal(signal: Signal): void {
    if (signal.kind === "terminated" && !this.#watching?.delete(signal.ref.path)) return;
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
    this.#timers?.clear();
    this.#receiveTimeout?.clear();
    for (const ref of this.#watching?.values() ?? []) ref.removeWatcher(this);
    this.#timers = this.#receiveTimeout = this.#watching = undefined;
  }

  /** Part of {@linkcode Watcher}. */
  terminated(ref: ActorRef<never>, reason: StopReason): void {
    this.#cell.put({ kind: "signal", signal: { kind: "terminated", ref, reason } });
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
    this.#watching ??= new Map();
    if (this.#watching.has(ref.path)) return;
    this.#watching.set(ref.path, ref);
    ref.addWatcher(this);
  }

  unwatch(ref: ActorRef<never>): void {
    this.#watching?.get(ref.path)?.removeWatcher(this);
    this.#watching?.delete(ref.path);
  }

  startTimer(key: string, delayMs: number, message: unknown): void {
    this.#timers ??= new Timers(this.clock, (entry) => this.#cell.put({ kind: "timer", entry }));
    this.#timers.start(key, delayMs, message);
  }

  cancelTimer(key: string): void {
    this.#timers?.cancel(key);
  }

  setReceiveTimeout(delayMs: number | undefined): void {
    this.#receiveTimeout?.clear();
    this.#receiveTimeout = delayMs === undefined ? undefined : new ReceiveTimeout(
      this.clock,
      delayMs,
      () => this.#cell.put({ kind: "signal", signal: { kind: "receive_timeout" } }),
    );
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
    askWith<Q, R>(
      this.#cell.host,
      to,
      make,
      deadlineMs,
      (reply) => this.#result(reply, () => ok(reply)),
      (cause) => this.#result(cause, () => failed(cause)),
    );
  }

  #result(value: unknown, make: () => unknown): void {
    this.#awaited--;
    this.#cell.put({ kind: "result", value, make });
  }
}
