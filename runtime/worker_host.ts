/**
 * The host's side of one Worker: starts it, starts it anew when it fails, and gives up when it fails
 * too often. A Worker is restarted last: what an actor can survive by itself never comes here.
 *
 * Deno 2.9.6 does not end a thread that spins: `terminate` returns, no message comes any more, but
 * the loop goes on, with its core, its sockets and its files (measured for 25 s; denoland/deno
 * pull request 35657). Only the end of the process frees what it holds: where that is missed, a
 * Worker that fell silent is started anew when its thread is seen to have ended, and else given up
 * on ({@linkcode WorkerSpec.threadEnded}).
 *
 * @module
 */
import type { SupervisionSpec } from "./actor.ts";
import { type Clock, systemClock, type Timer } from "./clock.ts";
import type { DeadLetters } from "./dead_letters.ts";
import { type Failure, failureOf } from "./failure.ts";
import type { Random } from "./random.ts";
import type { Link } from "./remote_link.ts";
import type { PublishedNames } from "./remote_names.ts";
import { WorkerRestarts, workerSupervisionDefault } from "./worker_restarts.ts";
import type { WorkerSpec } from "./worker_spec.ts";
import type { StartWait } from "./worker_start.ts";
import { silentFailure, WorkerThread } from "./worker_thread.ts";

/** What all Workers of a host share, and how long each may take and be silent. */
export interface WorkerHostOptions {
  readonly names: PublishedNames;
  readonly deadLetters: Pick<DeadLetters, "publish">;
  readonly clock?: Clock;
  /** For jitter. */
  readonly random?: Random;
  /** How long a start may take. Default 10 s. */
  readonly readyMs?: number;
  /**
   * How long a thread may take to load its code, before it gives a sign of life; each time that it
   * did not the next one is given twice as long, for the machine may be slow. Default 30 s.
   */
  readonly loadMs?: number;
  /** A start that takes longer is told of, ever less often. Default 5 s. */
  readonly slowMs?: number;
  /** Default 250 ms. */
  readonly heartbeatMs?: number;
  /** A Worker silent for this long is terminated. Default 5 s. */
  readonly silenceMs?: number;
  /** Default: permanent, 5 restarts in 60 s, 100 ms to 5 s between them, then `escalate`. */
  readonly supervision?: SupervisionSpec;
}

/** Where a Worker is in its life. */
export type WorkerState =
  | "new"
  | "starting"
  | "ready"
  /** Failed, and about to be started anew. */
  | "waiting"
  | "stopping"
  | "stopped"
  /** Failed too often, or in a way that only the end of the process mends: given up on. */
  | "failed";

/** What a host tells about its Worker. */
export interface WorkerEvents {
  /** A new thread hears; `link` has not been opened. Called before the program starts. */
  booting(host: WorkerHost, link: Link): void;
  ready(host: WorkerHost, link: Link): void;
  /** Its start takes long: what it is at. */
  slow(host: WorkerHost, wait: StartWait): void;
  /** The Worker is lost. It is started anew, unless the host's state is `failed`. */
  down(host: WorkerHost, failure: Failure): void;
  /** One that is down is given up on after all: its thread goes on. */
  stuck(host: WorkerHost, failure: Failure): void;
}

/** The live state of a Worker, for inspection. */
export interface WorkerView {
  readonly id: string;
  readonly state: WorkerState;
  readonly restarts: number;
  /** Since the last heartbeat; absent while there is no thread. */
  readonly silentMs?: number;
  readonly lastFailure?: Failure;
}

/** See the module. */
export class WorkerHost {
  readonly id: string;
  readonly #spec: WorkerSpec;
  readonly #options: WorkerHostOptions;
  readonly #clock: Clock;
  readonly #restarts: WorkerRestarts;
  readonly #events: WorkerEvents;
  #state: WorkerState = "new";
  #thread: WorkerThread | undefined;
  #incarnation = 0;
  /** Threads in a row that did not load their code. */
  #unloaded = 0;
  #startedMs = 0;
  #lastFailure: Failure | undefined;
  #restartTimer: Timer | undefined;
  #stopped: PromiseWithResolvers<"stopped" | "killed"> | undefined;

  constructor(spec: WorkerSpec, options: WorkerHostOptions, events: WorkerEvents) {
    this.id = spec.id;
    this.#spec = spec;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { supervision = workerSupervisionDefault, random = Math.random } = options;
    this.#restarts = new WorkerRestarts(supervision, random);
    this.#events = events;
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** The link to the Worker, while there is one. */
  get link(): Link | undefined {
    return this.#thread?.link;
  }

  get view(): WorkerView {
    const silentMs = this.#thread?.silentMs;
    return {
      id: this.id,
      state: this.#state,
      restarts: this.#incarnation,
      ...(silentMs === undefined ? {} : { silentMs }),
      ...(this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure }),
    };
  }

  /** Starts the thread for the first time. */
  start(): void {
    if (this.#state !== "new") throw new Error(`Cannot start ${this.id}: it is ${this.#state}`);
    this.#startThread();
  }

  /** Gives the Worker a link to another one. */
  connect(peer: string, port: MessagePort): void {
    this.#thread?.post({ kind: "link", peer, port }, [port]);
  }

  /** Tells it that another Worker is lost. */
  disconnect(peer: string, reason: string): void {
    this.#thread?.post({ kind: "unlink", peer, reason });
  }

  /**
   * Ends the Worker: `stopped` when its program had ended by the deadline, else `killed`. Never
   * rejects.
   */
  stop(deadlineMs: number): Promise<"stopped" | "killed"> {
    if (this.#stopped !== undefined) return this.#stopped.promise;
    const stopped = Promise.withResolvers<"stopped" | "killed">();
    this.#stopped = stopped;
    this.#restartTimer?.clear();
    if (this.#thread === undefined) {
      if (this.#state !== "failed") this.#state = "stopped";
      stopped.resolve("stopped");
      return stopped.promise;
    }
    this.#state = "stopping";
    this.#thread.post({ kind: "stop" });
    const deadline = this.#clock.setTimer(deadlineMs, () => this.#ended("killed"));
    return stopped.promise.finally(() => deadline.clear());
  }

  /** Ends the thread as if it had failed. */
  fail(cause: unknown): void {
    this.#down(failureOf(cause, this.#clock.now()));
  }

  #startThread(): void {
    const { names, deadLetters, loadMs = 30_000, readyMs = 10_000, slowMs = 5_000 } = this.#options;
    const { heartbeatMs = 250 } = this.#options;
    const silenceMs = this.#spec.silenceMs ?? this.#options.silenceMs ?? 5_000;
    this.#state = "starting";
    this.#startedMs = this.#clock.monotonic();
    try {
      this.#thread = new WorkerThread(this.#spec, {
        incarnation: this.#incarnation,
        names,
        deadLetters,
        clock: this.#clock,
        readyMs,
        loadMs: loadMs * 2 ** this.#unloaded,
        slowMs,
        heartbeatMs,
        silenceMs,
      }, {
        booting: (link) => {
          this.#unloaded = 0;
          this.#events.booting(this, link);
        },
        ready: (link) => this.#ready(link),
        slow: (wait) => this.#events.slow(this, wait),
        failed: (failure) => this.#down(failure),
        stopped: () => {
          if (this.#state === "stopping") this.#ended("stopped");
          else this.fail(new Error(`${this.id} ended by itself`));
        },
      });
      this.#unloaded++;
    } catch (thrown) {
      this.#fell(failureOf(thrown, this.#clock.now()));
    }
  }

  #ready(link: Link): void {
    if (this.#state !== "starting") return;
    this.#state = "ready";
    this.#events.ready(this, link);
  }

  #down(failure: Failure): void {
    if (this.#thread !== undefined) this.#fell(failure);
  }

  /** There is no thread, or it is good for nothing. */
  #fell(failure: Failure): void {
    this.#lastFailure = failure;
    if (this.#state === "stopping") return this.#ended("killed");
    const delayMs = this.#restarts.nextDelayMs(this.#startedMs, this.#clock.monotonic());
    this.#release(new Error(failure.message));
    this.#state = delayMs === undefined ? "failed" : "waiting";
    if (delayMs !== undefined) {
      const { threadEnded } = this.#spec;
      if (failure.name !== silentFailure || threadEnded === undefined) this.#restart(delayMs);
      else this.#restartIfEnded(threadEnded, delayMs, failure);
    }
    this.#events.down(this, failure);
  }

  #restart(delayMs: number): void {
    this.#restartTimer = this.#clock.setTimer(delayMs, () => {
      this.#incarnation++;
      this.#startThread();
    });
  }

  async #restartIfEnded(
    threadEnded: () => Promise<boolean>,
    delayMs: number,
    failure: Failure,
  ): Promise<void> {
    const ended = await threadEnded().catch(() => false);
    if (this.#state !== "waiting") return; // It was stopped meanwhile.
    if (ended) return this.#restart(delayMs);
    this.#state = "failed";
    this.#events.stuck(this, failure);
  }

  #ended(how: "stopped" | "killed"): void {
    this.#state = "stopped";
    this.#release(new Error(`${this.id} was stopped`));
    this.#stopped?.resolve(how);
  }

  #release(cause: Error): void {
    const thread = this.#thread;
    this.#thread = undefined;
    thread?.end(cause);
  }
}
