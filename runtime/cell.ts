/**
 * The cell: what stands between an address and an actor's behaviour through all its incarnations.
 *
 * It is its own ref, and what most actors never use is held apart ({@linkcode CellExtras}): a
 * device actor must cost a few hundred bytes. Nothing here calls an actor from within another
 * one's turn: who wants something of a cell changes its state and wakes it, and the cell acts in
 * its own turn.
 *
 * @module
 */
import type { ActorRef, StopReason, TellResult } from "./actor.ts";
import { CellExtras, type Ending } from "./cell_extras.ts";
import type { CellHost } from "./cell_host.ts";
import type { Children } from "./children.ts";
import type { DeadLetterReason } from "./dead_letters.ts";
import type { Runnable } from "./dispatcher.ts";
import { type Failure, failureOf } from "./failure.ts";
import { Incarnation } from "./incarnation.ts";
import { type LaneItem, messageOf } from "./lane.ts";
import { dropAll, dropItem, keepForNext } from "./leftovers.ts";
import { Mailbox } from "./mailbox.ts";
import { type CellSettings, pathStep } from "./settings.ts";
import { shownAs, shownRef } from "./shown_ref.ts";
import { settleWithin } from "./settle_within.ts";
import type { ChildExit } from "./supervisor.ts";
import type { WatchableRef, Watcher } from "./watch.ts";

/** In an order that matters: from `stopping` on a cell refuses mail. */
export const cellStates = [
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

/** An address that outlives the cell behind it, and can have another one made. */
export interface Handle extends ActorRef<unknown> {
  /** The cell has ended: let go of it. */
  ended(): void;
}

/** One actor in the tree. Messages are `unknown` here; typed refs and specs guard what comes in. */
export class Cell implements WatchableRef, Runnable {
  readonly host: CellHost;
  readonly parent: Cell | undefined;
  readonly id: string;
  readonly settings: CellSettings;
  readonly mailbox: Mailbox;
  readonly #handle: Handle | undefined;
  #state: number = running;
  /** In the run queue, or in its turn. */
  #scheduled = false;
  /** The ending incarnation is being stopped. */
  #endingBegun = false;
  #incarnation: Incarnation | undefined;
  #extras: CellExtras | undefined;

  constructor(
    host: CellHost,
    parent: Cell | undefined,
    id: string,
    settings: CellSettings,
    handle?: Handle,
  ) {
    this.host = host;
    this.parent = parent;
    this.id = id;
    this.settings = settings;
    this.mailbox = new Mailbox(settings.bounds);
    this.#handle = handle;
  }

  /** How others address this actor. */
  get self(): ActorRef<unknown> {
    return this.#handle ?? this;
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

  /** Something waits for it or is in its hand, or it waits for a result of its own. */
  get busy(): boolean {
    return this.#scheduled || this.mailbox.waiting || this.#incarnation?.awaiting === true;
  }

  get children(): Children | undefined {
    return this.#incarnation?.children;
  }

  /** Made on first use; {@linkcode inspected} makes nothing. */
  get extras(): CellExtras {
    return this.#extras ??= new CellExtras();
  }

  get inspected(): Readonly<CellExtras> | undefined {
    return this.#extras;
  }

  // --- As a ref.

  [shownAs](): string {
    return shownRef(this);
  }

  get identity(): this {
    return this;
  }

  tell(message: unknown): TellResult {
    if (this.#state >= stopping) return "stopped";
    const answer = this.mailbox.offer(message);
    if (answer === "full") {
      this.extras.refused++;
      return "full";
    }
    if (!this.#scheduled) this.#wake();
    if (answer === "high") this.#signalPressure(true);
    return "accepted";
  }

  addWatcher(watcher: Watcher): void {
    if (this.#state !== stopped) (this.extras.watchers ??= new Set()).add(watcher);
    else watcher.terminated(this.self, this.extras.ending?.reason ?? "stopped");
  }

  removeWatcher(watcher: Watcher): void {
    this.#extras?.watchers?.delete(watcher);
  }

  // --- For its incarnation, its parent and the system.

  /** Starts a child with settings that many may share. Its behaviour is made in its own turn. */
  adopt(id: string, settings: CellSettings, handle?: Handle): Cell {
    if (this.#state !== running) {
      throw new Error(`Cannot start ${id} under ${this.path}, which is ${this.state}`);
    }
    const child = new Cell(this.host, this, id, settings, handle);
    this.#incarnation ??= new Incarnation(this);
    this.#incarnation.addChild(child);
    child.#wake();
    return child;
  }

  /** Puts something before the mail. */
  put(item: LaneItem): void {
    if (this.#state === stopped) {
      const reason = this.extras.ending?.reason ?? "stopped";
      return dropItem(item, (message) => this.#publish(message, reason));
    }
    this.mailbox.put(item);
    if (!this.#scheduled) this.#wake();
  }

  /** Puts messages that it had taken before all others. */
  putBack(messages: readonly unknown[], crashes = 0): void {
    this.mailbox.putFirst(messages.map((message) => ({ kind: "mail", message, crashes })));
  }

  /** The actor stops itself. */
  complete(): void {
    if (this.settings.passivates) this.end("passivated", "passivated");
    else this.#exit("completed", undefined);
  }

  /** Fails on behalf of its children. */
  escalate(cause: Error): void {
    this.#crashed(cause, nothing, 0);
  }

  /**
   * Ends this incarnation, at the cell's next turn. An end under way goes on; only an end for good
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
    this.extras.restarts++;
    this.extras.resumedMs = this.host.clock.monotonic();
    this.host.restarted(this.settings.kind);
    this.#runAgain();
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

  // --- Turns.

  turn(messagesMax: number): boolean {
    if (this.#state === running) this.#run(messagesMax);
    else if (this.#state === quarantined) this.#dropAll("quarantined");
    else if (!this.#endingBegun) this.#beginEnding();
    return this.#scheduled = this.#hasWork();
  }

  #hasWork(): boolean {
    switch (this.#state) {
      case running:
        return this.mailbox.waiting || this.#incarnation?.behaviour === undefined;
      case quarantined:
        return this.mailbox.waiting;
      case waiting:
      case stopped:
        return false;
      default:
        return !this.#endingBegun;
    }
  }

  #wake(): void {
    if (this.#scheduled || !this.#hasWork()) return;
    this.#scheduled = true;
    this.host.dispatcher.enqueue(this);
  }

  #run(messagesMax: number): void {
    let inHand: unknown = nothing;
    let crashes = 0;
    try {
      const incarnation = this.#incarnation ??= new Incarnation(this);
      const behaviour = incarnation.behaviour ?? incarnation.start();
      const { mailbox, host: { dispatcher } } = this;
      for (let left = messagesMax; left > 0 && this.#state === running; left--) {
        if (dispatcher.givesWay) break;
        const item = mailbox.takeFirst();
        if (item !== undefined) {
          inHand = nothing;
          if (item.kind === "signal") {
            incarnation.signal(item.signal, item.source);
            continue;
          }
          if (item.kind === "timer" && !incarnation.claims(item.entry)) continue;
          if (item.kind === "result") {
            // What comes of it may throw, and a value is no message that could be tried again.
            inHand = item.value;
            crashes = Infinity;
          }
          inHand = messageOf(item);
          crashes = item.kind === "mail" ? item.crashes : 0;
          behaviour.receive(inHand, incarnation);
          crashes = 0;
        } else if (mailbox.count > 0) {
          inHand = mailbox.take();
          behaviour.receive(inHand, incarnation);
        } else break;
      }
      incarnation.messageCame();
    } catch (thrown) {
      this.#crashed(thrown, inHand, crashes);
    }
    if (this.mailbox.high && this.mailbox.relieved()) this.#signalPressure(false);
  }

  #signalPressure(high: boolean): void {
    const parent = this.parent;
    if (parent === undefined || parent.#incarnation?.behaviour?.signal === undefined) return;
    parent.put({ kind: "signal", signal: { kind: "pressure", child: this.id, high } });
  }

  // --- The end of an incarnation, and what comes after it.

  #crashed(thrown: unknown, inHand: unknown, crashes: number): void {
    const failure = failureOf(thrown, this.host.clock.now());
    this.extras.failure = failure;
    this.#exit("failed", failure);
    if (inHand === nothing) return;
    const again = crashes < this.settings.redeliveriesMax &&
      this.extras.ending?.next === "restart";
    if (again) this.putBack([inHand], crashes + 1);
    else this.#publish(inHand, "crashed", failure);
  }

  #exit(exit: ChildExit, failure: Failure | undefined): void {
    if (this.#state !== running) return;
    if (this.parent !== undefined) return this.parent.children?.exited(this, exit, failure);
    if (failure !== undefined) this.host.rootFailed(failure);
    this.end(exit, "stopped", failure);
  }

  #beginEnding(): void {
    this.#endingBegun = true;
    this.#incarnation?.release();
    const children = this.children;
    if (children === undefined) this.#stopBehaviour();
    else children.stopAll(() => this.#stopBehaviour());
  }

  #stopBehaviour(): void {
    const incarnation = this.#incarnation;
    const { reason, failure } = this.extras.ending!;
    let stopped: void | Promise<void> = undefined;
    try {
      stopped = incarnation?.behaviour?.stopped?.(reason, incarnation, failure);
    } catch (thrown) {
      this.#stopFault(thrown);
    }
    // An actor in JavaScript may give anything.
    if (!(stopped instanceof Promise)) return this.#ended();
    settleWithin(
      this.host.clock,
      this.settings.shutdownMs,
      stopped,
      (thrown) => this.#stopFault(thrown),
      () => this.#ended(),
    );
  }

  #stopFault(thrown: unknown): void {
    const failure = failureOf(thrown, this.host.clock.now());
    this.extras.failure = failure;
    this.host.stopFault(this.path, failure);
  }

  #ended(): void {
    const { reason, next, failure } = this.extras.ending!;
    this.putBack(this.#incarnation?.takeStash() ?? []);
    this.#incarnation = undefined;
    switch (next) {
      case "restart":
        keepForNext(
          this.mailbox,
          failure === undefined || this.settings.mailOnCrash === "redeliver"
            ? "all"
            : "redelivered",
          (message) => this.#publish(message, "failed"),
        );
        this.#state = waiting;
        this.parent?.children?.paused(this);
        return;
      case "quarantined":
        this.#state = quarantined;
        this.#wake();
        return;
      case "passivated":
        // Mail that came meanwhile is for another incarnation.
        if (this.mailbox.waiting) this.#runAgain();
        else this.#terminate(reason);
        return;
      case "stopped":
        this.#terminate(reason);
        return;
      default:
        next satisfies never;
    }
  }

  #runAgain(): void {
    this.extras.ending = undefined;
    this.#state = running;
    this.#wake();
  }

  #terminate(reason: StopReason): void {
    this.#state = stopped;
    this.#dropAll(reason);
    this.#handle?.ended();
    const watchers = this.extras.watchers;
    this.extras.watchers = undefined;
    for (const watcher of watchers ?? []) watcher.terminated(this.self, reason);
    if (this.parent === undefined) this.host.rootEnded();
    else this.parent.children?.gone(this);
  }

  // --- Mail that nobody will handle.

  #dropAll(reason: DeadLetterReason): void {
    dropAll(this.mailbox, (message) => this.#publish(message, reason));
  }

  #publish(
    message: unknown,
    reason: DeadLetterReason,
    failure = this.#extras?.ending?.failure,
  ): void {
    this.host.deadLetters.publish({
      message,
      target: this.path,
      kind: this.settings.kind,
      reason,
      ...(failure === undefined ? {} : { failure }),
    });
  }
}
