/**
 * The Workers of a process, and the links between each two of them. When one is lost the others
 * are told, and when it is back they are linked to it anew; nobody else is disturbed.
 *
 * @module
 */
import type { Failure } from "./failure.ts";
import type { Link } from "./remote_link.ts";
import { WorkerHost, type WorkerHostOptions, type WorkerView } from "./worker_host.ts";
import type { WorkerSpec } from "./worker_spec.ts";
import type { StartWait } from "./worker_start.ts";

/** What a fleet tells of its Workers, each by its id. */
export interface FleetEvents {
  /** A new thread hears, and its program is about to start: the place to open its link. */
  booting?(id: string, link: Link, incarnation: number): void;
  /** Its program has started. */
  ready?(id: string, link: Link): void;
  /** The start of a Worker takes long: what it is at. */
  slow?(id: string, wait: StartWait): void;
  /** A Worker is lost; `final` when it is not started anew. */
  down?(id: string, failure: Failure, final: boolean): void;
  /** One that is down is not started anew after all: its thread goes on. */
  stuck?(id: string, failure: Failure): void;
}

/**
 * See the module.
 *
 * The entry of a Worker calls {@linkcode serveWorker}; the host makes the fleet:
 * ```ts ignore
 * const fleet = new WorkerFleet(specs, { names, deadLetters }, {
 *   down: (id, failure, final) => log.error(`${id}: ${failure.message}`, { final }),
 * });
 * await fleet.start();
 * const shard = fleet.link("shard-0");
 * const snapshot = await shard?.ask(
 *   shard.ref("control"),
 *   (replyTo) => ({ kind: "snapshot", replyTo }),
 *   { deadlineMs: 1_000, parse: parseSnapshot },
 * );
 * await fleet.stop(5_000);
 * ```
 */
export class WorkerFleet {
  readonly #hosts = new Map<string, WorkerHost>();
  readonly #events: FleetEvents;
  readonly #started = Promise.withResolvers<void>();

  constructor(
    specs: readonly WorkerSpec[],
    options: WorkerHostOptions,
    events: FleetEvents = {},
  ) {
    this.#events = events;
    this.#started.promise.catch(() => {}); // told to who awaits the start, and to nobody else
    for (const spec of specs) {
      if (spec.id === "host" || this.#hosts.has(spec.id)) {
        throw new RangeError(`Cannot host the Worker ${spec.id}: the name is taken`);
      }
      const host = new WorkerHost(spec, options, {
        booting: (host, link) => {
          events.booting?.(host.id, link, host.view.restarts);
          if (!link.opened) link.open({});
        },
        ready: (host, link) => this.#ready(host, link),
        slow: (host, wait) => events.slow?.(host.id, wait),
        down: (host, failure) => this.#down(host, failure),
        stuck: (host, failure) => {
          events.stuck?.(host.id, failure);
          this.#cannotStart(host, failure);
        },
      });
      this.#hosts.set(spec.id, host);
    }
  }

  /** Settles when every Worker is ready; rejects when one of them cannot be started, or all are stopped. */
  start(): Promise<void> {
    for (const host of this.#hosts.values()) host.start();
    if (this.#hosts.size === 0) this.#started.resolve();
    return this.#started.promise;
  }

  /** The link to a Worker, while it runs. */
  link(id: string): Link | undefined {
    return this.#hosts.get(id)?.link;
  }

  get views(): WorkerView[] {
    return [...this.#hosts.values()].map((host) => host.view);
  }

  /** Ends all Workers together; gives the names of those that had to be killed. */
  async stop(deadlineMs: number): Promise<string[]> {
    this.#started.reject(new Error("Cannot start the Workers: they were told to stop"));
    const hosts = [...this.#hosts.values()];
    const ends = await Promise.all(hosts.map((host) => host.stop(deadlineMs)));
    return hosts.filter((_, i) => ends[i] === "killed").map((host) => host.id);
  }

  #ready(host: WorkerHost, link: Link): void {
    for (const other of this.#hosts.values()) {
      if (other === host || other.state !== "ready") continue;
      const { port1, port2 } = new MessageChannel();
      host.connect(other.id, port1);
      other.connect(host.id, port2);
    }
    this.#events.ready?.(host.id, link);
    if ([...this.#hosts.values()].every(({ state }) => state === "ready")) this.#started.resolve();
  }

  #down(host: WorkerHost, failure: Failure): void {
    for (const other of this.#hosts.values()) {
      if (other !== host && other.state === "ready") other.disconnect(host.id, failure.message);
    }
    const final = host.state === "failed";
    this.#events.down?.(host.id, failure, final);
    if (final) this.#cannotStart(host, failure);
  }

  #cannotStart(host: WorkerHost, failure: Failure): void {
    this.#started.reject(
      new Error(`Cannot start ${host.id}: ${failure.message}`, { cause: failure }),
    );
  }
}
