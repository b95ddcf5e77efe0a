/**
 * The vocabulary of the actor runtime: what a program built on it writes and sees.
 *
 * An actor owns its state and handles one message at a time. Whoever holds an {@linkcode ActorRef}
 * can send to it, from the same Worker or from another. A handler runs to completion: what is
 * asynchronous comes back as a message ({@linkcode Context.pipe}).
 *
 * @module
 */
import type { Clock } from "./clock.ts";
import type { Failure } from "./failure.ts";
import type { Keyed, KeyedSpec } from "./keyed.ts";

/**
 * The answer of a `tell`. `full` and `stopped` mean that the message was not taken and that the
 * sender still owns it; a message that was accepted is handled, redelivered or dead-lettered.
 */
export type TellResult = "accepted" | "full" | "stopped";

/** An address to send to. It outlives restarts, and can itself be sent in a message. */
export interface ActorRef<M> {
  /** Where the actor stands in the tree, for example `shard-0/devices/UPB~1RPi_1`. */
  readonly path: string;
  tell(message: M): TellResult;
}

/** What the runtime tells an actor about its surroundings. */
export type Signal =
  /** A watched actor has stopped for good. */
  | { readonly kind: "terminated"; readonly ref: ActorRef<never>; readonly reason: StopReason }
  /** No message came for as long as {@linkcode Context.setReceiveTimeout} asked. */
  | { readonly kind: "receive_timeout" }
  /** A child's mailbox went above its high watermark, or came back below the low one. */
  | { readonly kind: "pressure"; readonly child: string; readonly high: boolean };

/** Why an actor is no more. */
export type StopReason =
  | "stopped"
  | "completed"
  | "passivated"
  | "failed"
  | "quarantined"
  | "shutdown"
  | "lost";

/** An actor's behaviour. State lives in its fields; a restart makes a new instance. */
export interface Actor<M> {
  receive(message: M, context: Context<M>): void;
  /** Before the first message of this incarnation. */
  started?(context: Context<M>): void;
  signal?(signal: Signal, context: Context<M>): void;
  /**
   * Last call of this incarnation: release what it holds. A promise is awaited up to the child's
   * `shutdownMs`. `failure` is present when a crash is the cause.
   */
  stopped?(reason: StopReason, context: Context<M>, failure?: Failure): void | Promise<void>;
}

/** Makes the behaviour of one incarnation. */
export type ActorFactory<M> = (context: Context<M>) => Actor<M>;

/** Limits of a mailbox. Both count; whichever is reached first makes `tell` answer `full`. */
export interface MailboxLimits<M> {
  readonly countMax: number;
  readonly bytesMax?: number;
  /** Bytes a message holds; without it only the count is bounded. */
  readonly sizeOf?: (message: M) => number;
  /** Share of the limit at which the parent is told `pressure`; default 0.8, and 0.5 to clear. */
  readonly highWatermark?: number;
  readonly lowWatermark?: number;
}

/** When a child that ended is started again (OTP's restart types). */
export type RestartType = "permanent" | "transient" | "temporary";

/** Exponential backoff between restarts. Units: ms; `jitter` is a share from 0 to 1. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
  readonly factor: number;
  readonly jitter: number;
  /** A child that ran this long without a failure starts again at `minMs`. */
  readonly resetMs: number;
}

/** How the children of one actor are supervised. */
export interface SupervisionSpec {
  readonly strategy: "one_for_one" | "one_for_all" | "rest_for_one";
  /** More than `intensity` restarts within `periodMs` is `onExceeded`. */
  readonly intensity: number;
  readonly periodMs: number;
  readonly backoff?: Backoff;
  readonly onExceeded: "escalate" | "quarantine" | "stop";
}

/** A child as data (OTP's child spec). */
export interface ChildSpec<M> {
  readonly id: string;
  /** Groups restarts and mailbox depth in the metrics, for example `device`. Default: `id`. */
  readonly kind?: string;
  readonly start: ActorFactory<M>;
  /** Default `permanent`. */
  readonly restart?: RestartType;
  /** How long `stopped` may take, in ms. Default 5000. */
  readonly shutdownMs?: number;
  readonly mailbox?: MailboxLimits<M>;
  /** What becomes of mail in the box when the actor dies. Default `redeliver`. */
  readonly mailOnCrash?: "redeliver" | "dead_letter";
  /** How often the message that crashed the actor is tried again. Default 0: dead-lettered. */
  readonly redeliveriesMax?: number;
  /** Rules for this actor's own children. Default one_for_one, 3 in 5000 ms, escalate. */
  readonly supervision?: SupervisionSpec;
  /** Messages that {@linkcode Context.stash} may hold. Default 100. */
  readonly stashMax?: number;
}

/** What an actor can do, given to every handler. Valid only within the actor's own turn. */
export interface Context<M> {
  readonly self: ActorRef<M>;
  readonly id: string;
  readonly path: string;
  readonly clock: Clock;
  /**
   * Starts a child under this actor's supervision. A second child of one id is an error. Many
   * children may share a spec, which is checked once: each then has an `id` of its own.
   */
  spawn<C>(spec: ChildSpec<C>, id?: string): ActorRef<C>;
  /** Starts a group of actors that are made on demand, one for each key. */
  spawnKeyed<C>(spec: KeyedSpec<C>): Keyed<C>;
  child<C = never>(id: string): ActorRef<C> | undefined;
  /**
   * Stops a child for good, or the actor itself when it names `self`: that is reason `completed`,
   * after which a permanent actor is restarted, and a keyed one passivated.
   */
  stop(ref: ActorRef<never>): void;
  /**
   * Asks for the signal `terminated`, which comes once, also when the actor is gone already. As with
   * timers, what `stopped` asks for does not come: this incarnation is over.
   */
  watch(ref: ActorRef<never>): void;
  /** The signal does not come, not even when it waits already. */
  unwatch(ref: ActorRef<never>): void;
  /** Sends `message` to self after `delayMs`; a timer of the same key is replaced. */
  startTimer(key: string, delayMs: number, message: M): void;
  cancelTimer(key: string): void;
  /** Asks for the signal `receive_timeout`, each time so long no message came; `undefined` ends it. */
  setReceiveTimeout(delayMs: number | undefined): void;
  /** The message in hand took long: the turn ends with it, and others and the event loop go on. */
  giveWay(): void;
  /** Puts the message in hand aside; false when the stash is full. */
  stash(message: M): boolean;
  /** Puts every stashed message back at the head of the mailbox, oldest first. */
  unstashAll(): void;
  /** Turns the end of a promise into a message to self. */
  pipe<T>(promise: Promise<T>, ok: (value: T) => M, failed: (cause: unknown) => M): void;
  /** Sends with a reply address, and turns the reply, or the deadline, into a message to self. */
  ask<Q, R>(
    to: ActorRef<Q>,
    make: (replyTo: ActorRef<R>) => Q,
    deadlineMs: number,
    ok: (reply: R) => M,
    failed: (cause: Error) => M,
  ): void;
}
