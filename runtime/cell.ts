/**
 * The cell: what stands between a mailbox and an actor's behaviour through all its incarnations.
 *
 * It is its own ref and its own context, and what most actors never use is held apart
 * ({@linkcode CellExtras}): a device actor must cost a few hundred bytes. Nothing here calls an
 * actor from within another one's turn: who wants something of a cell changes its state and wakes
 * it, and the cell acts in its own turn.
 *
 * @module
 */
import type {
  Actor,
  ActorRef,
  ChildSpec,
  Context,
  Signal,
  StopReason,
  TellResult,
} from "./actor.ts";
import { askWith } from "./ask.ts";
import { CellExtras, type Ending, ReceiveTimeout } from "./cell_extras.ts";
import type { CellHost } from "./cell_host.ts";
import { Children } from "./children.ts";
import type { Clock } from "./clock.ts";
import type { DeadLetterReason } from "./dead_letters.ts";
import type { Runnable } from "./dispatcher.ts";
import { type Failure, failureOf } from "./failure.ts";
import { Keyed, type KeyedSpec } from "./keyed.ts";
import { Lane, type LaneItem } from "./lane.ts";
import { Mailbox } from "./mailbox.ts";
import type { ChildExit } from "./supervisor.ts";
import { type CellSettings, cellSettings, pathStep } from "./settings.ts";
import { Stash } from "./stash.ts";
import { Timers } from "./timers.ts";
import type { WatchableRef, Watcher } from "./watch.ts";

/** In an order that matters: from `stopping` on a cell refuses mail. */
const cellStates = [
  "running",
  /** Between two incarnations: mail waits. */
  "waiting",
  /** One incarnation is being stopped and another may follow: mail waits. */
  "ending",
  /** Given up on: mail is dead-lettered. */
  "quarantined",
  "stopping",
  "stopped",
] as const;
export type CellState = typeof cellStates[number];
const running = 0, waiting = 1, ending = 2, quarantined = 3, stopping = 4, stopped = 5;

/** Stands for the message in hand when there is none. */
const nothing = Symbol("no message");

/** One actor in the tree. Messages are `unknown` here; typed refs and specs guard what comes in. */
export class Cell implements Context<unknown>, Runnable, WatchableRef, Watcher {
  readonly host: CellHost;
  readonly parent: Cell | undefined;
  readonly id: string;
  readonly settings: CellSettings;
  readonly mailbox: Mailbox;
  /** How others address this actor: the cell itself, or a handle that can make it again. */
  readonly self: ActorRef<unknown>;
  #state: number = running;
  /** In the run queue, or in its turn. */
  #scheduled = false;
  /** The ending incarnation's children and behaviour are being stopped. */
  #endingBegun = false;
  #behaviour: Actor<unknown> | undefined;
  #children: Children | undefined;
  #lane: Lane | undefined;
  #extras: CellExtras | undefined;

  constructor(
    host: CellHost,
    parent: Cell | undefined,
    id: string,
    settings: CellSettings,
    self?: ActorRef<unknown>,
  ) {
    this.host = host;
    this.parent = parent;
    this.id = id;
    this.settings = settings;
    this.mailbox = new Mailbox(settings.bounds);
    this.self = self ?? this;
  }

  get clock(): Clock {
    return this.host.clock;
  }

  get path(): string {
    const step = pathStep(this.id);
    return this.parent === undefined ? step : `${this.parent.path}/${step}`;
  }

  get state(): CellState {
    return cellStates[this.#state]!;
  }

  /** Takes no mail any more. */
  get refuses(): boolean {
    return this.#state >= stopping;
  }

  /** Something waits for it, or is in its hand. */
  get busy(): boolean {
    return this.#scheduled || this.mailbox.count > 0 || this.#lane !== undefined;
  }

  get children(): Children | undefined {
    return this.#children;
  }

  /** Made on first use: look with {@linkcode inspected} where nothing should be made. */
  get extras(): CellExtras {
    return this.#extras ??= new CellExtras();
  }

  get inspected(): Readonly<CellExtras> | undefined {
    return this.#extras;
  }

  // --- As a ref.

  tell(message: unknown): TellResult {
    if (this.#state >= stopping) return "stopped";
    const answer = this.mailbox.offer(message);
    if (answer === "full") return "full";
    if (!this.#scheduled) this.#wake();
    if (answer === "high") this.#signalPressure(true);
    return "accepted";
  }

  addWatcher(watcher: Watcher): void {
    if (this.#state !== stopped) (this.extras.watchers ??= new Set()).add(watcher);
    else watcher.terminated(this.self, this.#extras?.ending?.reason ?? "stopped");
  }

  removeWatcher(watcher: Watcher): void {
    this.#extras?.watchers?.delete(watcher);
  }

  terminated(ref: ActorRef<never>, reason: StopReason): void {
    this.put({ kind: "signal", signal: { kind: "terminated", ref, reason } });
  }

  /** Puts something before the mail. */
  put(item: LaneItem): void {
    if (this.#state === stopped) return this.#drop(item, this.extras.ending?.reason ?? "stopped");
    (this.#lane ??= new Lane()).push(item);
    if (!this.#scheduled) this.#wake();
  }

  // --- As a context.

  spawn<C>(spec: ChildSpec<C>): ActorRef<C> {
    return this.adopt(spec.id, cellSettings({ ...spec, kind: spec.kind ?? spec.id })).self;
  }

  /** Starts a child with settings that may be shared by many. */
  adopt(id: string, settings: CellSettings, self?: ActorRef<unknown>): Cell {
    if (this.#state !== running) {
      throw new Error(`Cannot start ${id} under ${this.path}, which is ${this.state}`);
    }
    const child = new Cell(this.host, this, id, settings, self);
    (this.#children ??= new Children(this)).add(child);
    child.#wake();
    return child;
  }

  spawnKeyed<C>(spec: KeyedSpec<C>): Keyed<C> {
    return new Keyed(this, spec);
  }

  child<C = never>(id: string): ActorRef<C> | undefined {
    return this.#children?.get(id)?.self;
  }

  stop(ref: ActorRef<never>): void {
    if (ref === this || ref === this.self) {
      if (this.settings.passivates) this.end("passivated", "passivated");
      else this.#exit("completed", undefined);
      return;
    }
    const child = this.#children?.find(ref);
    if (child === undefined) throw new Error(`Cannot stop ${ref.path}: no child of ${this.path}`);
    child.end("stopped", "stopped");
  }

  watch(ref: ActorRef<never>): void {
    this.extras.watch(ref, this);
  }

  unwatch(ref: ActorRef<never>): void {
    this.#extras?.unwatch(ref.path, this);
  }

  startTimer(key: string, delayMs: number, message: unknown): void {
    this.extras.timers ??= new Timers(
      this.clock,
      (entry) => this.put({ kind: "timer", entry }),
    );
    this.extras.timers.start(key, delayMs, message);
  }

  cancelTimer(key: string): void {
    this.#extras?.timers?.cancel(key);
  }

  setReceiveTimeout(delayMs: number | undefined): void {
    this.#extras?.receiveTimeout?.clear();
    this.extras.receiveTimeout = delayMs === undefined ? undefined : new ReceiveTimeout(
      this.clock,
      delayMs,
      () => this.put({ kind: "signal", signal: { kind: "receive_timeout" } }),
    );
  }

  stash(message: unknown): boolean {
    this.extras.stash ??= new Stash(this.settings.stashMax, this.settings.bounds);
    return this.extras.stash.put(message);
  }

  unstashAll(): void {
    const messages = this.#extras?.stash?.takeAll() ?? [];
    if (messages.length === 0) return;
    this.#putFirst(messages.map((message) => ({ kind: "mail", message, crashes: 0 })));
  }

  pipe<T>(
    promise: Promise<T>,
    ok: (value: T) => unknown,
    failed: (cause: unknown) => unknown,
  ): void {
    promise.then(
      (value) => this.put({ kind: "result", make: () => ok(value), value }),
      (value: unknown) => this.put({ kind: "result", make: () => failed(value), value }),
    );
  }

  ask<Q, R>(
    to: ActorRef<Q>,
    make: (replyTo: ActorRef<R>) => Q,
    deadlineMs: number,
    ok: (reply: R) => unknown,
    failed: (cause: Error) => unknown,
  ): void {
    askWith<Q, R>(
      this.host,
      to,
      make,
      deadlineMs,
      (value) => this.put({ kind: "result", make: () => ok(value), value }),
      (value) => this.put({ kind: "result", make: () => failed(value), value }),
    );
  }

  // --- Turns.

  turn(messagesMax: number): boolean {
    if (this.#state === running) this.#handle(messagesMax);
    else if (this.#state === quarantined) this.#dropAll("quarantined");
    else if (!this.#endingBegun) this.#beginEnding();
    return this.#scheduled = this.#hasWork();
  }

  #hasWork(): boolean {
    if (this.#state === running) {
      return this.mailbox.count > 0 || this.#lane !== undefined || this.#behaviour === undefined;
    }
    if (this.#state === quarantined) return this.mailbox.count > 0 || this.#lane !== undefined;
    return (this.#state === ending || this.#state === stopping) && !this.#endingBegun;
  }

  #wake(): void {
    if (this.#scheduled || !this.#hasWork()) return;
    this.#scheduled = true;
    this.host.dispatcher.enqueue(this);
  }

  #handle(messagesMax: number): void {
    let inHand: unknown = nothing;
    let crashes = 0;
    try {
      const behaviour = this.#behaviour ?? this.#start();
      const mailbox = this.mailbox;
      for (let left = messagesMax; left > 0 && this.#state === running; left--) {
        if (this.#lane !== undefined) {
          const item = this.#takeLane(this.#lane);
          if (item.kind === "signal") {
            inHand = nothing;
            this.#signal(behaviour, item.signal);
            continue;
          }
          if (item.kind === "timer" && !this.#extras?.timers?.claim(item.entry)) continue;
          inHand = nothing;
          inHand = messageOf(item);
          crashes = item.kind === "mail" ? item.crashes : 0;
          behaviour.receive(inHand, this);
          crashes = 0;
        } else if (mailbox.count > 0) {
          inHand = mailbox.take();
          behaviour.receive(inHand, this);
        } else break;
      }
    } catch (thrown) {
      this.#crashed(thrown, inHand, crashes);
    }
    this.#extras?.receiveTimeout?.touch();
    if (this.mailbox.high && this.mailbox.relieved()) this.#signalPressure(false);
  }

  #start(): Actor<unknown> {
    const behaviour = this.settings.start(this);
    this.#behaviour = behaviour;
    behaviour.started?.(this);
    return behaviour;
  }

  #signal(behaviour: Actor<unknown>, signal: Signal): void {
    if (signal.kind === "terminated" && !this.#extras?.claimWatch(signal.ref.path)) return;
    behaviour.signal?.(signal, this);
  }

  #signalPressure(high: boolean): void {
    const parent = this.parent;
    if (parent === undefined || parent.#behaviour?.signal === undefined) return;
    parent.put({ kind: "signal", signal: { kind: "pressure", child: this.id, high } });
  }

  #takeLane(lane: Lane): LaneItem {
    const item = lane.take();
    if (lane.empty) this.#lane = undefined;
    return item;
  }

  #putFirst(items: readonly LaneItem[]): void {
    if (items.length > 0) (this.#lane ??= new Lane()).pushFirst(items);
  }

  // --- The end of an incarnation, and what comes after it.

  /**
   * Ends this incarnation at the cell's next turn. An end under way goes on; only an end for good
   * overrides what was to follow it.
   */
  end(reason: StopReason, next: Ending["next"], failure?: Failure): void {
    const forGood = next === "stopped";
    if (this.#state >= stopping || (this.#state !== running && !forGood)) return;
    if (this.#state !== ending) this.#endingBegun = false;
    this.extras.ending = { reason, next, failure };
    this.#state = forGood ? stopping : ending;
    this.#wake();
  }

  /** The next incarnation, after an end with `restart`. */
  resume(): void {
    if (this.#state !== waiting) return;
    this.#state = running;
    this.extras.ending = undefined;
    this.extras.restarts++;
    this.extras.resumedMs = this.clock.monotonic();
    this.host.restarted(this.settings.kind);
    this.#wake();
  }

  /** Gives a quarantined actor another chance; false when it is not quarantined. */
  release(): boolean {
    if (this.#state !== quarantined) return false;
    this.extras.window = [];
    this.extras.attempts = 0;
    this.#state = waiting;
    this.resume();
    return true;
  }

  /** Fails on behalf of its children. */
  escalate(cause: Error): void {
    this.#crashed(cause, nothing, 0);
  }

  #crashed(thrown: unknown, inHand: unknown, crashes: number): void {
    const failure = failureOf(thrown, this.clock.now());
    this.extras.failure = failure;
    this.#exit("failed", failure);
    if (inHand === nothing) return;
    if (crashes < this.settings.redeliveriesMax && this.extras.ending?.next === "restart") {
      this.#putFirst([{ kind: "mail", message: inHand, crashes: crashes + 1 }]);
    } else this.#publish(inHand, "crashed", failure);
  }

  #exit(exit: ChildExit, failure: Failure | undefined): void {
    if (this.#state !== running) return;
    if (this.parent !== undefined) return this.parent.#children?.exited(this, exit, failure);
    if (failure !== undefined) this.host.rootFailed(failure);
    this.end(exit, "stopped", failure);
  }

  #beginEnding(): void {
    this.#endingBegun = true;
    this.extras.endIncarnation(this);
    if (this.#children === undefined) this.#stopBehaviour();
    else this.#children.stopAll(() => this.#stopBehaviour());
  }

  #stopBehaviour(): void {
    const behaviour = this.#behaviour;
    const { reason, failure } = this.extras.ending!;
    this.#children = this.#behaviour = undefined;
    let done: void | Promise<void> = undefined;
    try {
      done = behaviour?.stopped?.(reason, this, failure);
    } catch (thrown) {
      this.#stopFault(thrown);
    }
    if (done === undefined) return this.#ended();
    const { shutdownMs } = this.settings;
    let open = true;
    const close = () => {
      if (!open) return;
      open = false;
      timer.clear();
      this.#ended();
    };
    const timer = this.clock.setTimer(shutdownMs, () => {
      this.#stopFault(new Error(`${this.path} did not stop within ${shutdownMs} ms`));
      close();
    });
    done.then(close, (thrown: unknown) => {
      this.#stopFault(thrown);
      close();
    });
  }

  #stopFault(thrown: unknown): void {
    const failure = failureOf(thrown, this.clock.now());
    this.extras.failure = failure;
    this.host.stopFault(this.path, failure);
  }

  #ended(): void {
    const { reason, next, failure } = this.extras.ending!;
    switch (next) {
      case "restart":
        this.#keepMail(failure !== undefined && this.settings.mailOnCrash === "dead_letter");
        this.#state = waiting;
        this.parent?.children?.paused(this);
        return;
      case "quarantined":
        this.#state = quarantined;
        this.#wake();
        return;
      case "passivated":
        if (this.mailbox.count === 0 && this.#lane === undefined) return this.#terminate(reason);
        // Mail came meanwhile: a new incarnation takes it.
        this.extras.ending = undefined;
        this.#state = running;
        this.#wake();
        return;
      case "stopped":
        return this.#terminate(reason);
      default:
        next satisfies never;
    }
  }

  #terminate(reason: StopReason): void {
    this.#state = stopped;
    this.#dropAll(reason);
    const watchers = this.extras.watchers;
    this.extras.watchers = undefined;
    for (const watcher of watchers ?? []) watcher.terminated(this.self, reason);
    if (this.parent === undefined) this.host.rootEnded();
    else this.parent.#children?.gone(this);
  }

  // --- Mail that outlives an incarnation, and mail that does not.

  /** What the next incarnation gets: stash, then what comes before the mail, then the mail. */
  #keepMail(dropWaiting: boolean): void {
    const kept: LaneItem[] = [];
    for (let lane = this.#lane; lane !== undefined; lane = this.#lane) {
      const item = this.#takeLane(lane);
      if (item.kind === "mail" && (item.crashes > 0 || !dropWaiting)) kept.push(item);
      else if (item.kind === "result" && !dropWaiting) kept.push(item);
      else this.#drop(item, "failed");
    }
    if (dropWaiting) this.#dropAll("failed");
    this.#putFirst(kept);
    this.unstashAll();
  }

  #dropAll(reason: DeadLetterReason): void {
    for (let lane = this.#lane; lane !== undefined; lane = this.#lane) {
      this.#drop(this.#takeLane(lane), reason);
    }
    for (const message of this.#extras?.stash?.takeAll() ?? []) this.#publish(message, reason);
    while (this.mailbox.count > 0) this.#publish(this.mailbox.drop(), reason);
  }

  /** Signals and timers concern only the incarnation that is gone. */
  #drop(item: LaneItem, reason: DeadLetterReason): void {
    if (item.kind === "mail") this.#publish(item.message, reason);
    else if (item.kind === "result") this.#publish(item.value, reason);
  }

  #publish(message: unknown, reason: DeadLetterReason, failure?: Failure): void {
    const cause = failure ?? this.#extras?.ending?.failure;
    this.host.deadLetters.publish({
      message,
      target: this.path,
      kind: this.settings.kind,
      reason,
      ...(cause === undefined ? {} : { failure: cause }),
    });
  }
}

function messageOf(item: Exclude<LaneItem, { readonly kind: "signal" }>): unknown {
  switch (item.kind) {
    case "mail":
      return item.message;
    case "timer":
      return item.entry.message;
    case "result":
      return item.make();
    default:
      return item satisfies never;
  }
}
