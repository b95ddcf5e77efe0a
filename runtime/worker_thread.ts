/**
 * One thread of a Worker, from its start to its end: hears what it says, boots its program, and
 * watches over its start and its heartbeat. What becomes of the Worker is the host's to decide.
 *
 * @module
 */
import type { Clock } from "./clock.ts";
import type { DeadLetters } from "./dead_letters.ts";
import { type Failure, failureOf } from "./failure.ts";
import { Link } from "./remote_link.ts";
import type { PublishedNames } from "./remote_names.ts";
import { type HostMessage, parseWorkerMessage, type WorkerMessage } from "./worker_protocol.ts";
import type { WorkerHandle, WorkerSpec } from "./worker_spec.ts";
import { type StartWait, WorkerStart } from "./worker_start.ts";
import { Watchdog } from "./worker_watchdog.ts";

export interface WorkerThreadOptions {
  /** 0 for the first start, one more for each restart. */
  readonly incarnation: number;
  readonly names: PublishedNames;
  readonly deadLetters: Pick<DeadLetters, "publish">;
  readonly clock: Clock;
  /** How long all of its start may take. */
  readonly readyMs: number;
  /** How long its code may take to load. */
  readonly loadMs: number;
  /** A start that takes longer is told of. */
  readonly slowMs: number;
  readonly heartbeatMs: number;
  readonly silenceMs: number;
}

/** What a thread tells, until it is ended. */
export interface WorkerThreadEvents {
  /** It hears; its link has not been opened, and its program is about to start. */
  booting(link: Link): void;
  ready(link: Link): void;
  /** Its start takes long. */
  slow(wait: StartWait): void;
  /** It is lost, or good for nothing. */
  failed(failure: Failure): void;
  /** Its program has ended. */
  stopped(): void;
}

/** {@linkcode Failure.name} when a Worker was ended because it gave no sign of life. */
export const silentFailure = "SilentWorkerError";

class SilentWorkerError extends Error {
  override readonly name = silentFailure;
}

/** See the module. */
export class WorkerThread {
  readonly link: Link;
  readonly #spec: WorkerSpec;
  readonly #options: WorkerThreadOptions;
  readonly #events: WorkerThreadEvents;
  readonly #worker: WorkerHandle;
  /** The Worker's end of the link, until it has it. */
  readonly #farPort: MessagePort;
  readonly #start: WorkerStart;
  #watchdog: Watchdog | undefined;
  #isReady = false;
  #isOver = false;

  /** Throws what {@linkcode WorkerSpec.create} throws. */
  constructor(spec: WorkerSpec, options: WorkerThreadOptions, events: WorkerThreadEvents) {
    const { names, deadLetters, clock } = options;
    this.#spec = spec;
    this.#options = options;
    this.#events = events;
    const { port1, port2 } = new MessageChannel();
    this.#farPort = port2;
    this.link = new Link(port1, {
      peer: spec.id,
      names,
      deadLetters,
      clock,
      broken: (cause) => this.#fail(cause),
    });
    try {
      this.#worker = spec.create();
    } catch (thrown) {
      this.link.close(thrown);
      port2.close();
      throw thrown;
    }
    this.#start = new WorkerStart({
      ...options,
      slow: (wait) => events.slow(wait),
      late: (why) => this.#fail(new Error(`${spec.id} ${why}`)),
    });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = (event) => {
      event.preventDefault(); // or the whole process ends
      this.#fail(new Error(event.message));
    };
  }

  /** Since the last heartbeat; `undefined` before its code is loaded. */
  get silentMs(): number | undefined {
    return this.#watchdog?.silentMs;
  }

  post(message: HostMessage, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Ends the thread and everything that belongs to it. */
  end(cause: Error): void {
    this.#isOver = true;
    this.#start.clear();
    this.#watchdog?.clear();
    this.#worker.onmessage = this.#worker.onerror = null;
    this.#worker.terminate();
    this.link.close(cause);
    this.#farPort.close();
  }

  #hear(data: unknown): void {
    if (this.#isOver) return;
    let message: WorkerMessage;
    try {
      message = parseWorkerMessage(data);
    } catch (thrown) {
      return this.#fail(thrown);
    }
    switch (message.kind) {
      case "loaded":
        return this.#boot();
      case "heartbeat":
        return this.#watchdog?.beat();
      case "stage":
        return this.#start.enter(message.stage);
      case "ready":
        this.#isReady = true;
        this.#start.clear();
        return this.#events.ready(this.link);
      case "failed":
        return this.#events.failed(message.failure);
      case "stopped":
        return this.#events.stopped();
      default:
        return message satisfies never;
    }
  }

  #boot(): void {
    const { clock, incarnation, heartbeatMs, silenceMs } = this.#options;
    const { id } = this.#spec;
    this.#start.loaded();
    this.#watchdog = new Watchdog(clock, silenceMs, () => {
      const at = this.#isReady ? "" : `, in its start: ${this.#start.wait.stage}`;
      this.#fail(new SilentWorkerError(`${id} gave no sign of life for ${silenceMs} ms${at}`));
    });
    this.#events.booting(this.link);
    const port = this.#farPort;
    try {
      const init = this.#spec.init(incarnation);
      this.post({ kind: "boot", id, incarnation, heartbeatMs, init, port }, [port]);
    } catch (thrown) {
      this.#fail(thrown); // the program's `init` failed, or cannot be cloned
    }
  }

  #fail(cause: unknown): void {
    if (this.#isOver) return;
    this.#events.failed(failureOf(cause, this.#options.clock.now()));
  }
}
