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
import type { Target } from "./frames.ts";
import { isNoteTarget, type LinkNote, noteTargets, parseNote } from "./link_note.ts";
import { type Channel, type LaneName, Port, type PortOptions, type PortReceiver } from "./port.ts";
import { RemoteAsk } from "./remote_ask.ts";
import { RemoteInbox } from "./remote_inbox.ts";
import type { PublishedNames } from "./remote_names.ts";
import type { RemoteRef, RemoteRoute } from "./remote_ref.ts";
import { RemoteRefs } from "./remote_refs.ts";
import { RemoteWatches } from "./remote_watches.ts";

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

/** What a link needs of its own Worker, and the bounds of its port. */
export interface LinkOptions extends Omit<PortOptions, "refs"> {
  /** Name of the other Worker. */
  readonly peer: string;
  /** Actors of this side that the other may find by name. */
  readonly names: PublishedNames;
  /** Are told of messages to an actor that is lost. */
  readonly deadLetters: Pick<DeadLetters, "publish">;
  readonly clock?: Clock;
  /** Actors the other side may hold refs to. Default 65,536. */
  readonly exportsMax?: number;
  /** Runs after other work of the event loop. Default `setImmediate`. */
  readonly later?: (run: () => void) => void;
  /** The protocol was broken, or a handler threw; called after `lost`. */
  readonly broken?: (cause: unknown) => void;
}

/** How a question to another Worker is asked. */
export interface AskOptions<R> {
  /** After this long the question is rejected, with an `AskError`. */
  readonly deadlineMs: number;
  /** Makes an `R` of the foreign answer, or throws: then the question is rejected with that. */
  readonly parse: (reply: unknown) => R;
}

/**
 * See the module.
 *
 * @example
 * ```ts
 * import type { ActorRef } from "./actor.ts";
 * import { DeadLetters } from "./dead_letters.ts";
 * import { Link } from "./remote_link.ts";
 * import { PublishedNames } from "./remote_names.ts";
 * import { isRef } from "./remote_ref.ts";
 * import assert from "node:assert/strict";
 *
 * const { port1, port2 } = new MessageChannel();
 * const deadLetters = new DeadLetters();
 * const names = new PublishedNames();
 * const near = new Link(port1, { peer: "far", names: new PublishedNames(), deadLetters });
 * const far = new Link(port2, { peer: "near", names, deadLetters });
 *
 * const greeter: ActorRef<ActorRef<unknown>> = {
 *   path: "far/greeter",
 *   tell: (replyTo) => replyTo.tell("hello"),
 * };
 * names.publish("greeter", greeter, (message) => {
 *   if (isRef(message)) return message;
 *   throw new TypeError("Cannot greet: no ref");
 * });
 * near.open({});
 * far.open({});
 * const answer = await near.ask(
 *   near.ref<ActorRef<unknown>>("greeter"),
 *   (replyTo) => replyTo,
 *   { deadlineMs: 1000, parse: String },
 * );
 * assert.equal(answer, "hello");
 * near.close("done");
 * far.close("done");
 * ```
 */
export class Link implements RemoteRoute {
  readonly peer: string;
  readonly #port: Port;
  readonly #deadLetters: Pick<DeadLetters, "publish">;
  readonly #clock: Clock;
  readonly #refs: RemoteRefs;
  readonly #inbox: RemoteInbox;
  readonly #broken: ((cause: unknown) => void) | undefined;
  readonly #asks = new Set<{ fail: RemoteAsk<never>["fail"] }>();
  readonly #watches = new RemoteWatches({
    watch: (target) => this.#note(noteTargets.watch, target),
    unwatch: (target) => this.#note(noteTargets.unwatch, target),
    ended: (target, reason) => this.#note(noteTargets.ended, [target, reason]),
  });
  /** Notes that found the control lane full; one an event of a watch or a ref, so bounded. */
  readonly #unsent: { target: number; message: unknown }[] = [];
  #handlers: LinkHandlers | undefined;
  #lost: StopReason | undefined;

  constructor(channel: Channel, options: LinkOptions) {
    const { clock = systemClock, deadLetters } = options;
    this.peer = options.peer;
    this.#deadLetters = deadLetters;
    this.#clock = clock;
    this.#broken = options.broken;
    this.#refs = new RemoteRefs({
      peer: options.peer,
      names: options.names,
      route: this,
      exportsMax: options.exportsMax ?? 65_536,
      release: (id, times) => this.#note(noteTargets.release, [id, times]),
    });
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
    return this.#refs.named(name);
  }

  /** Hands a buffer over: see {@linkcode Port.transfer}. */
  transfer(buffer: ArrayBuffer): TellResult {
    return this.#port.transfer(buffer);
  }

  /** Sends to {@linkcode LinkHandlers.control} over there, on the control lane. */
  post(message: unknown): TellResult {
    return this.#port.send("control", noteTargets.post, message);
  }

  /**
   * Asks an actor over there. Rejects with an `AskError` when no answer comes, and with what was
   * thrown when the question cannot be sent or the answer cannot be parsed.
   */
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
    try {
      const result = to.tell(make(ask));
      if (result !== "accepted") ask.fail(result, `the question was not taken: ${result}`);
    } catch (thrown) {
      ask.reject(thrown);
    }
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
    this.#watches.watch(ref);
  }

  unwatch(ref: RemoteRef): void {
    this.#watches.unwatch(ref);
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
      for (const { target, message } of unsent) this.#note(target, message);
      this.#handlers?.controlCredit?.();
    },
    broken: (cause) => {
      this.#end(cause);
      this.#broken?.(cause);
    },
  };

  #message(lane: LaneName, target: Target, message: unknown, bytes: number): boolean {
    if (isNoteTarget(target)) {
      this.#noted(parseNote(target, message));
      return true;
    }
    const ref = this.#refs.recipient(target);
    if (ref !== undefined) return this.#inbox.deliver(ref, message, lane, bytes);
    this.#deadLetters.publish({
      message,
      target: `${target}, asked for by ${this.peer}`,
      kind: "remote",
      reason: "stopped",
    });
    return true;
  }

  #noted(note: LinkNote): void {
    switch (note.kind) {
      case "post":
        if (this.#handlers?.control !== undefined) this.#handlers.control(note.message);
        else this.#unwanted(note.message);
        return;
      case "release":
        return this.#refs.released(note.id, note.times);
      case "watch":
        return this.#watches.watchHere(note.target, this.#refs.local(note.target));
      case "unwatch":
        return this.#watches.unwatchHere(note.target);
      case "ended":
        return this.#watches.ended(note.target, note.reason);
      default:
        return note satisfies never;
    }
  }

  #note(target: number, message: unknown): void {
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
    this.#refs.lost();
    for (const ask of [...this.#asks]) ask.fail("stopped", `${this.peer} is lost`);
    this.#watches.lost();
    this.#handlers?.lost?.(cause);
  }
}
