/**
 * One Worker's view of another: actors there, addressed as if they were here, buffers handed over
 * whole, and control messages for settling them. A link lasts as long as both Workers; when one is
 * started anew its host makes a new link.
 *
 * @module
 */
import type { ActorRef, StopReason, TellResult } from "./actor.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { DeadLetters } from "./dead_letters.ts";
import type { RefAddress, RefCodec, Target } from "./frames.ts";
import { type Channel, type LaneName, Port, type PortOptions, type PortReceiver } from "./port.ts";
import { RemoteAsk } from "./remote_ask.ts";
import { RemoteExports } from "./remote_exports.ts";
import { RemoteImports } from "./remote_imports.ts";
import { RemoteInbox } from "./remote_inbox.ts";
import type { PublishedNames } from "./remote_names.ts";
import { isOneShot, isRef, RemoteRef, type RemoteRoute } from "./remote_ref.ts";
import { isWatchable, type Watcher } from "./watch.ts";

/** What the user of a link hears. */
export interface LinkHandlers {
  /** A buffer that the other side transferred. */
  buffer?(bytes: Uint8Array): void;
  /** A message that the other side posted. */
  control?(message: unknown): void;
  /** A transfer that answered `full` can be tried again. */
  credit?(): void;
  /** A post that answered `full` can be tried again. */
  controlCredit?(): void;
  /** The other Worker is gone, or broke the protocol: nothing comes, and nothing arrives there. */
  lost?(cause: unknown): void;
}

export interface LinkOptions extends Omit<PortOptions, "refs"> {
  /** Name of the other Worker. */
  readonly peer: string;
  readonly names: PublishedNames;
  readonly deadLetters: Pick<DeadLetters, "publish">;
  readonly clock?: Clock;
  /** Actors the other side may hold refs to. Default 65,536. */
  readonly exportsMax?: number;
  /** Runs after other work of the event loop. Default `setImmediate`. */
  readonly later?: (run: () => void) => void;
  /** The protocol was broken, or a handler threw; called after `lost`. */
  readonly broken?: (cause: unknown) => void;
}

export interface AskOptions<R> {
  readonly deadlineMs: number;
  /** Makes an `R` of the foreign answer, or throws: then the question is rejected with that. */
  readonly parse: (reply: unknown) => R;
}

/** Targets of the link's own messages on the control lane; actors have positive numbers or names. */
const own = { post: -1, release: -2, watch: -3, unwatch: -4, ended: -5 } as const;

const stopReasons: ReadonlySet<unknown> = new Set<StopReason>([
  "stopped",
  "completed",
  "passivated",
  "failed",
  "quarantined",
  "shutdown",
  "lost",
]);
const isStopReason = (value: unknown): value is StopReason => stopReasons.has(value);

/**
 * See the module.
 *
 * @example
 * ```ts
 * import { Link } from "./remote_link.ts";
 * import { PublishedNames } from "./remote_names.ts";
 * import { DeadLetters } from "./dead_letters.ts";
 * import assert from "node:assert/strict";
 *
 * const { port1, port2 } = new MessageChannel();
 * const deadLetters = new DeadLetters();
 * const names = new PublishedNames();
 * const near = new Link(port1, { peer: "far", names: new PublishedNames(), deadLetters });
 * const far = new Link(port2, { peer: "near", names, deadLetters });
 *
 * names.publish("greeter", {
 *   path: "far/greeter",
 *   tell(message: { name: string; replyTo: { tell(text: string): unknown } }) {
 *     message.replyTo.tell(`hello ${message.name}`);
 *     return "accepted";
 *   },
 * }, (message) => message as never);
 *
 * near.open({});
 * far.open({});
 * const answer = await near.ask(
 *   near.ref("greeter"),
 *   (replyTo) => ({ name: "Zeus", replyTo }),
 *   { deadlineMs: 1000, parse: String },
 * );
 * assert.equal(answer, "hello Zeus");
 * near.close("done");
 * far.close("done");
 * ```
 */
export class Link implements RemoteRoute {
  readonly peer: string;
  readonly #port: Port;
  readonly #names: PublishedNames;
  readonly #deadLetters: Pick<DeadLetters, "publish">;
  readonly #clock: Clock;
  readonly #exports: RemoteExports;
  readonly #imports: RemoteImports;
  readonly #inbox: RemoteInbox;
  readonly #broken: ((cause: unknown) => void) | undefined;
  readonly #asks = new Set<{ fail: RemoteAsk<never>["fail"] }>();
  readonly #namedRefs = new Map<string, RemoteRef>();
  /** Refs here that watch something there. */
  readonly #watched = new Map<Target, RemoteRef>();
  /** On behalf of watchers there. */
  readonly #watchers = new Map<Target, { ref: ActorRef<never>; watcher: Watcher }>();
  /** Own messages that found the control lane full; one an event of a watch or a ref, so bounded. */
  readonly #unsent: { target: number; message: unknown }[] = [];
  #handlers: LinkHandlers | undefined;
  #lost: StopReason | undefined;

  constructor(channel: Channel, options: LinkOptions) {
    const { clock = systemClock, deadLetters } = options;
    this.peer = options.peer;
    this.#names = options.names;
    this.#deadLetters = deadLetters;
    this.#clock = clock;
    this.#broken = options.broken;
    this.#exports = new RemoteExports(options.exportsMax ?? 65_536);
    this.#imports = new RemoteImports(
      this,
      (id, times) => this.#sendOwn(own.release, [id, times]),
    );
    this.#inbox = new RemoteInbox({
      clock,
      deadLetters,
      release: (lane, bytes) => this.#port.release(lane, bytes),
      ...(options.later === undefined ? {} : { later: options.later }),
    });
    this.#port = new Port(channel, { ...options, refs: this.#refs });
  }

  /** `lost` once the other Worker cannot be reached any more. */
  get lost(): StopReason | undefined {
    return this.#lost;
  }

  /** Sent on the data lane, and not yet taken by the other side. */
  get underway(): { readonly count: number; readonly bytes: number } {
    return this.#port.underway("data");
  }

  /** Mail from there that waits for a full mailbox here. */
  get waiting(): number {
    return this.#inbox.depth;
  }

  /** Starts to receive. Sending works before. */
  open(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    this.#port.open(this.#receiver);
  }

  get opened(): boolean {
    return this.#handlers !== undefined;
  }

  /** The actor that the other Worker publishes under `name`. */
  ref<M>(name: string): ActorRef<M> {
    return this.#named(name);
  }

  /** Hands a buffer over: see {@linkcode Port.transfer}. */
  transfer(buffer: ArrayBuffer): TellResult {
    return this.#port.transfer(buffer);
  }

  /** Sends to {@linkcode LinkHandlers.control} over there, on the control lane. */
  post(message: unknown): TellResult {
    return this.#port.send("control", own.post, message);
  }

  /** Asks an actor over there. Rejects with an `AskError` when no answer comes. */
  ask<Q, R>(
    to: ActorRef<Q>,
    make: (replyTo: ActorRef<unknown>) => Q,
    options: AskOptions<R>,
  ): Promise<R> {
    const { deadlineMs, parse } = options;
    const ask = new RemoteAsk<R>(
      `${to.path}?reply`,
      this.#clock,
      deadlineMs,
      parse,
      this.#deadLetters,
      (ended) => this.#asks.delete(ended),
    );
    this.#asks.add(ask);
    const result = to.tell(make(ask));
    if (result !== "accepted") ask.fail(result, `the question was not taken: ${result}`);
    return ask.answer;
  }

  /** Sends on what this turn gathered; done by itself at the end of it. */
  flush(): void {
    this.#port.flush();
  }

  /** The other Worker is gone, or this one is about to go. */
  close(cause: unknown): void {
    if (this.#lost !== undefined) return;
    this.#port.close();
    this.#end(cause);
  }

  // --- As the route of remote refs.

  tell(ref: RemoteRef, message: unknown): TellResult {
    const result = this.#port.send(ref.oneShot ? "control" : "data", ref.target, message);
    if (result === "stopped") {
      this.#deadLetters.publish({ message, target: ref.path, kind: "remote", reason: "lost" });
    }
    return result;
  }

  watch(ref: RemoteRef): void {
    this.#watched.set(ref.target, ref);
    this.#sendOwn(own.watch, ref.target);
  }

  unwatch(ref: RemoteRef): void {
    if (this.#watched.delete(ref.target)) this.#sendOwn(own.unwatch, ref.target);
  }

  // --- Refs inside messages.

  readonly #refs: RefCodec = {
    addressOf: (value) => {
      if (value instanceof RemoteRef && value.route === this) {
        const { target, path, oneShot } = value;
        return { home: "receiver", target, path, oneShot };
      }
      if (!isRef(value)) return undefined;
      const target = this.#exports.idOf(value);
      return { home: "sender", target, path: value.path, oneShot: isOneShot(value) };
    },
    written: (kept) => this.#exports.written(kept),
    refAt: ({ home, target, path, oneShot }: RefAddress) => {
      if (home === "receiver") return this.#local(target) ?? new LostRef(path);
      if (typeof target === "string") return this.#named(target);
      return oneShot ? new RemoteRef(this, target, path, true) : this.#imports.refAt(target, path);
    },
  };

  #named(name: string): RemoteRef {
    let ref = this.#namedRefs.get(name);
    if (ref === undefined) {
      ref = new RemoteRef(this, name, `${this.peer}:${name}`, false);
      this.#namedRefs.set(name, ref);
    }
    return ref;
  }

  #local(target: Target): ActorRef<never> | undefined {
    return typeof target === "string" ? this.#names.get(target)?.actor : this.#exports.get(target);
  }

  // --- What arrives.

  readonly #receiver: PortReceiver = {
    buffer: (bytes) => {
      if (this.#handlers?.buffer !== undefined) this.#handlers.buffer(bytes);
      else this.#unwanted(bytes);
    },
    message: (lane, target, message, bytes) => this.#message(lane, target, message, bytes),
    credit: (lane) => {
      if (lane === "data") return this.#handlers?.credit?.();
      const unsent = this.#unsent.splice(0);
      for (const { target, message } of unsent) this.#sendOwn(target, message);
      this.#handlers?.controlCredit?.();
    },
    broken: (cause) => {
      this.#end(cause);
      this.#broken?.(cause);
    },
  };

  #message(lane: LaneName, target: Target, message: unknown, bytes: number): boolean {
    if (typeof target === "number" && target < 0) {
      this.#own(target, message);
      return true;
    }
    const ref = typeof target === "string" ? this.#names.get(target) : this.#exports.take(target);
    if (ref !== undefined) {
      return this.#inbox.deliver(ref, message, lane, bytes);
    }
    this.#deadLetters.publish({
      message,
      target: `${target}, asked for by ${this.peer}`,
      kind: "remote",
      reason: "stopped",
    });
    return true;
  }

  #own(target: number, message: unknown): void {
    if (target === own.post) {
      if (this.#handlers?.control !== undefined) this.#handlers.control(message);
      else this.#unwanted(message);
    } else if (target === own.watch && isTarget(message)) {
      this.#watchHere(message);
    } else if (target === own.unwatch && isTarget(message)) {
      const watched = this.#watchers.get(message);
      this.#watchers.delete(message);
      if (watched !== undefined && isWatchable(watched.ref)) {
        watched.ref.removeWatcher(watched.watcher);
      }
    } else {
      this.#ownPair(target, message);
    }
  }

  #ownPair(target: number, message: unknown): void {
    const [first, second]: readonly unknown[] = Array.isArray(message) ? message : [];
    if (target === own.release && typeof first === "number" && typeof second === "number") {
      this.#exports.released(first, second);
    } else if (target === own.ended && isTarget(first) && isStopReason(second)) {
      const ref = this.#watched.get(first);
      this.#watched.delete(first);
      ref?.ended(second);
    } else {throw new TypeError(
        `Cannot read the message from ${this.peer} to its own end: ${target}`,
      );}
  }

  #watchHere(target: Target): void {
    const ref = this.#local(target);
    if (this.#watchers.has(target)) return;
    const watcher: Watcher = {
      terminated: (_ref, reason) => {
        this.#watchers.delete(target);
        this.#sendOwn(own.ended, [target, reason]);
      },
    };
    if (ref === undefined || !isWatchable(ref)) {
      return this.#sendOwn(own.ended, [target, "stopped"]);
    }
    this.#watchers.set(target, { ref, watcher });
    ref.addWatcher(watcher);
  }

  #sendOwn(target: number, message: unknown): void {
    if (this.#lost !== undefined) return;
    if (this.#unsent.length > 0 || this.#port.send("control", target, message) === "full") {
      this.#unsent.push({ target, message });
    }
  }

  #unwanted(message: unknown): void {
    const target = `${this.peer}, which has no handler for it`;
    this.#deadLetters.publish({ message, target, kind: "remote", reason: "stopped" });
  }

  #end(cause: unknown): void {
    this.#lost = "lost";
    this.#exports.clear();
    for (const { ref, watcher } of this.#watchers.values()) {
      if (isWatchable(ref)) ref.removeWatcher(watcher);
    }
    this.#watchers.clear();
    for (const ask of [...this.#asks]) ask.fail("stopped", `${this.peer} is lost`);
    const watched = [...this.#watched.values()];
    this.#watched.clear();
    for (const ref of watched) ref.ended("lost");
    this.#handlers?.lost?.(cause);
  }
}

const isTarget = (value: unknown): value is Target =>
  typeof value === "number" || typeof value === "string";

/** A ref that came home to an actor that is no more. */
class LostRef implements ActorRef<unknown> {
  constructor(readonly path: string) {}

  tell(): TellResult {
    return "stopped";
  }
}
