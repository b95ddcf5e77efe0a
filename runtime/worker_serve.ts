/**
 * The Worker's side of its host: hears from the first moment, starts the program, shows that the
 * event loop turns, keeps the links to other Workers, and ends when it is told to, or when
 * anything goes wrong that nobody caught.
 *
 * @module
 */
import { type Clock, systemClock, type Timer } from "./clock.ts";
import { DeadLetters } from "./dead_letters.ts";
import { failureOf } from "./failure.ts";
import { Link } from "./remote_link.ts";
import { PublishedNames } from "./remote_names.ts";
import { onUncaught } from "./uncaught.ts";
import { type HostMessage, parseHostMessage, type WorkerMessage } from "./worker_protocol.ts";

/** What a Worker's program starts with. */
export interface WorkerBoot {
  /** The Worker's own name, as its peers see it. */
  readonly id: string;
  /** 0 for the first start, one more for each restart. */
  readonly incarnation: number;
  /** What the host gave for this start. */
  readonly init: unknown;
  /** The link to the host. Opened without handlers unless `start` opens it. */
  readonly host: Link;
  /** What this Worker offers to the host and its peers. */
  readonly names: PublishedNames;
  /** Mail that came over a link and that nobody took, or that found its Worker lost. */
  readonly deadLetters: DeadLetters;
  /** Says what the start is at, for whoever wonders why it takes long: "its spool is read". */
  readonly stage: (stage: string) => void;
}

/** A program that has started. */
export interface WorkerProgram {
  /**
   * A link to another Worker is there: once for each, and once more when that one was started
   * anew. Open it here; its `lost` handler tells the end.
   */
  linked?(link: Link): void;
  /** Told to end: finish what is under way. The host waits for it up to its deadline. */
  stop?(): void | Promise<void>;
}

/** The part of a Worker's global scope that is used. */
export interface WorkerScope {
  postMessage(message: WorkerMessage): void;
  onmessage: ((event: MessageEvent) => void) | null;
  addEventListener(type: string, listener: (event: Event) => void): void;
  close(): void;
}

/**
 * Serves the program that `start` makes. To be called first thing in the Worker's entry, before
 * any `await`: what the host says before that would be lost.
 */
export function serveWorker(
  start: (boot: WorkerBoot) => WorkerProgram | Promise<WorkerProgram>,
  scope: WorkerScope,
  clock: Clock = systemClock,
): void {
  new WorkerServer(start, scope, clock).listen();
}

class WorkerServer {
  readonly #start: (boot: WorkerBoot) => WorkerProgram | Promise<WorkerProgram>;
  readonly #scope: WorkerScope;
  readonly #clock: Clock;
  readonly #names = new PublishedNames();
  readonly #deadLetters = new DeadLetters();
  readonly #links = new Map<string, Link>();
  #host: Link | undefined;
  #booted: Promise<void> | undefined;
  #program: WorkerProgram | undefined;
  #heartbeat: Timer | undefined;
  #ended = false;

  constructor(
    start: (boot: WorkerBoot) => WorkerProgram | Promise<WorkerProgram>,
    scope: WorkerScope,
    clock: Clock,
  ) {
    this.#start = start;
    this.#scope = scope;
    this.#clock = clock;
  }

  listen(): void {
    const scope = this.#scope;
    scope.onmessage = (event) => this.#hear(parseHostMessage(event.data));
    onUncaught(scope, (cause) => this.#fail(cause)); // the host decides what becomes of it
    scope.postMessage({ kind: "loaded" });
  }

  #hear(message: HostMessage): void {
    switch (message.kind) {
      case "boot":
        this.#booted = this.#boot(message);
        return this.#settle(this.#booted);
      case "link":
        return this.#link(message.peer, message.port);
      case "unlink":
        this.#links.get(message.peer)?.close(new Error(message.reason));
        this.#links.delete(message.peer);
        return;
      case "stop":
        return this.#settle(this.#stop());
      default:
        return message satisfies never;
    }
  }

  #settle(work: Promise<void>): void {
    work.catch((thrown) => this.#fail(thrown));
  }

  async #boot(message: HostMessage & { kind: "boot" }): Promise<void> {
    const { id, incarnation, init, port, heartbeatMs } = message;
    const host = this.#host = this.#newLink("host", port);
    const names = this.#names;
    const deadLetters = this.#deadLetters;
    // The start may take long, but it must not block: the host watches from the first heartbeat.
    this.#beat(heartbeatMs);
    const stage = (stage: string): void => this.#post({ kind: "stage", stage });
    this.#program = await this.#start({ id, incarnation, init, host, names, deadLetters, stage });
    if (!host.opened) host.open({});
    this.#post({ kind: "ready" });
  }

  #beat(everyMs: number): void {
    this.#post({ kind: "heartbeat" });
    this.#heartbeat = this.#clock.setTimer(everyMs, () => this.#beat(everyMs));
  }

  #link(peer: string, port: MessagePort): void {
    this.#links.get(peer)?.close(new Error(`${peer} was started anew`));
    const link = this.#newLink(peer, port);
    this.#links.set(peer, link);
    this.#program?.linked?.(link);
    if (!link.opened) link.open({});
  }

  #newLink(peer: string, port: MessagePort): Link {
    return new Link(port, {
      peer,
      names: this.#names,
      deadLetters: this.#deadLetters,
      clock: this.#clock,
      // One's own Workers keep the protocol. When they do not, better to start anew than to guess.
      broken: (cause) => this.#fail(cause),
    });
  }

  async #stop(): Promise<void> {
    await this.#booted; // what has half started cannot end in order
    await this.#program?.stop?.();
    this.#end({ kind: "stopped" });
  }

  #fail(thrown: unknown): void {
    this.#end({ kind: "failed", failure: failureOf(thrown, this.#clock.now()) });
  }

  #end(last: WorkerMessage): void {
    if (this.#ended) return;
    this.#post(last);
    this.#ended = true;
    this.#heartbeat?.clear();
    const cause = new Error("this Worker ends");
    this.#host?.close(cause);
    for (const link of this.#links.values()) link.close(cause);
    this.#scope.close();
  }

  #post(message: WorkerMessage): void {
    if (!this.#ended) this.#scope.postMessage(message);
  }
}
