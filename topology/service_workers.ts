/**
 * The Workers of the service, as the main thread holds them: what follows when one is up, is lost,
 * or does not end, and whether the service can go on without it.
 *
 * @module
 */
import { RouteError } from "../actors/route.ts";
import { servesHttp } from "../config/serves_http.ts";
import { logger } from "../gateways/log/log.ts";
import { StoreFileError } from "../gateways/store/store_database.ts";
import { DeadLetters } from "../runtime/dead_letters.ts";
import type { Failure } from "../runtime/failure.ts";
import type { Link } from "../runtime/remote_link.ts";
import type { PublishedNames } from "../runtime/remote_names.ts";
import { type FleetEvents, WorkerFleet } from "../runtime/worker_fleet.ts";
import type { WorkerView } from "../runtime/worker_host.ts";
import type { WorkerSpec } from "../runtime/worker_spec.ts";
import { httpId, type Plan, workerSpecs } from "../topology.ts";
import { CodeSuspects } from "./code_suspects.ts";
import { listenFirst } from "./listen_first.ts";
import { reopenShard } from "./reopen_shard.ts";
import { HostedShard, shardId } from "./shard_handle.ts";
import { shutDown } from "./shutdown.ts";
import { SuspectsFile } from "./suspects_file.ts";

const log = logger("service");

/**
 * How long a Worker may take to start. A shard reads its whole spool, which may be many GB after an
 * outage; whether it is alive meanwhile is told by its heartbeat.
 */
const recoveryMsMax = 3_600_000;

/** Failures of a Worker that another try does not mend. */
const endsTheStart: readonly string[] = [RouteError.name, StoreFileError.name];

const cannotStart = (id: string, failure: Failure): Error =>
  new Error(`Cannot start ${id}: ${failure.message}`, { cause: failure });

/** The part of a fleet that is used; a test may bring its own. */
export type Fleet = Pick<WorkerFleet, "start" | "stop" | "link" | "views">;

export interface ServiceWorkersOptions {
  readonly plan: Plan;
  /** What Workers may ask of the main thread. */
  readonly names: PublishedNames;
  /** A Worker is up, for the first time or anew. */
  readonly ready: (id: string) => void;
  /** Absent: threads. */
  readonly fleet?: (specs: readonly WorkerSpec[], events: FleetEvents) => Fleet;
}

/** See the module. */
export class ServiceWorkers {
  /** Settles, with the failure, when the service cannot go on. */
  readonly failed: Promise<Failure>;
  readonly shards: readonly HostedShard[];
  /** HTTP: asked as a shard is, though it owns no device. */
  readonly edge: HostedShard | undefined;
  readonly #options: ServiceWorkersOptions;
  readonly #fleet: Fleet;
  readonly #suspects: SuspectsFile;
  readonly #failed = Promise.withResolvers<Failure>();
  /** Rejects for what no second try can mend. */
  readonly #cannotStart = Promise.withResolvers<never>();
  #isFailed = false;
  #listening = false;

  constructor(options: ServiceWorkersOptions) {
    const { plan, names, fleet } = options;
    this.#options = options;
    this.failed = this.#failed.promise;
    this.#cannotStart.promise.catch(() => {}); // Told to who awaits the start, and to nobody else.
    this.#suspects = new SuspectsFile(plan.paths.suspects);
    const strikes = this.#suspects.read();
    const hosted = (shard: number, worker: string): HostedShard =>
      new HostedShard(
        shard,
        worker,
        () => this.link(worker),
        () => this.view(worker),
        new CodeSuspects(strikes),
      );
    this.shards = Array.from({ length: plan.shards }, (_, shard) => hosted(shard, shardId(shard)));
    this.edge = servesHttp(plan.config) ? hosted(plan.shards, httpId) : undefined;
    const specs = workerSpecs(plan, this.shards, this.edge);
    const events: FleetEvents = {
      ready: (id) => this.#ready(id),
      slow: (worker, { stage, stageMs, ms }) =>
        log.warn("the start of a Worker takes long", {
          worker,
          waitsIn: stage,
          forSeconds: Math.round(stageMs / 1_000),
          seconds: Math.round(ms / 1_000),
        }),
      down: (id, failure, final) => this.#down(id, failure, final),
      stuck: (id, failure) => {
        log.error("a Worker's thread does not end: the service does", { worker: id });
        this.giveUp(id, failure);
      },
    };
    this.#fleet = fleet?.(specs, events) ?? new WorkerFleet(
      specs,
      { names, deadLetters: new DeadLetters(), readyMs: recoveryMsMax },
      events,
    );
  }

  /** All who take readings in. */
  get takers(): readonly HostedShard[] {
    return this.edge === undefined ? this.shards : [...this.shards, this.edge];
  }

  /** They were told to take connections, and not yet to stop. */
  get listening(): boolean {
    return this.#listening;
  }

  /** The link to a Worker, while it runs. */
  link(id: string): Link | undefined {
    return this.#fleet.link(id);
  }

  view(id: string): WorkerView | undefined {
    return this.#fleet.views.find((view) => view.id === id);
  }

  /** Resolves when all are ready. Rejects when one cannot be started. */
  async start(): Promise<void> {
    await Promise.race([this.#fleet.start(), this.#cannotStart.promise]);
  }

  /** Has all take connections. Rejects with what is in the way of that. */
  async listen(): Promise<void> {
    this.#listening = true;
    const wanted = () => !this.#isFailed;
    const listening = this.takers.map((shard) => listenFirst({ shard, wanted }));
    await Promise.race([Promise.all(listening), this.#cannotStart.promise]);
  }

  /** The service cannot go on, for what befell that Worker, or itself. */
  giveUp(id: string, failure: Failure): void {
    this.#isFailed = true;
    this.#cannotStart.reject(cannotStart(id, failure));
    this.#suspects.write(this.shards.map(({ suspects }) => suspects));
    this.#failed.resolve(failure);
  }

  /** Ends all in order; gives what passed its deadline. Never rejects. */
  async stop(): Promise<readonly string[]> {
    this.#listening = false;
    const late = await shutDown({
      deadlines: this.#options.plan.config.shutdown,
      takers: this.takers,
      lost: this.#isFailed,
      close: (deadlineMs) => this.#fleet.stop(deadlineMs),
    });
    if (!this.#isFailed) this.#suspects.remove();
    return late;
  }

  /** A Worker is up, for the first time or anew. */
  #ready(id: string): void {
    this.#options.ready(id);
    const shard = this.takers.find((candidate) => candidate.id === id);
    if (shard === undefined) return;
    const link = this.link(id);
    reopenShard({
      shard,
      current: () => link !== undefined && this.link(id) === link,
      listening: () => this.#listening,
    });
  }

  #down(id: string, failure: Failure, final: boolean): void {
    if (!this.#listening && endsTheStart.includes(failure.name)) {
      return this.#cannotStart.reject(cannotStart(id, failure));
    }
    log.error(final ? "a Worker failed: the service ends" : "a Worker failed and is started anew", {
      worker: id,
      failure: failure.message,
    });
    const shard = this.takers.find((candidate) => candidate.id === id);
    shard?.books.died();
    const device = shard?.suspects.died();
    if (device !== undefined) {
      const message =
        "the code of a device took its shard down; it is not run before the service stops, " +
        "or before the device is released from quarantine";
      log.error(message, { device });
    }
    if (final) this.giveUp(id, failure);
  }
}
