/**
 * The running service: starts the Workers, answers what they pass on of HTTP, keeps the books over
 * restarts, and ends everything in order.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { parseBan } from "../actors/rates/ban_list.ts";
import { RouteError } from "../actors/route.ts";
import { diskFiles } from "../actors/segment_log/disk_files.ts";
import { DiskPressure } from "../actors/spool/disk_pressure.ts";
import type { Config } from "../config.ts";
import { servesHttp } from "../config/serves_http.ts";
import { httpApp } from "../gateways/http/app.ts";
import { Answerer } from "../gateways/http/forward/answerer.ts";
import { httpName, parseForwardAsk } from "../gateways/http/forward/protocol.ts";
import type { AccountStore } from "../gateways/auth/account_store.ts";
import type { TokenKey } from "../gateways/auth/token.ts";
import { logger, writeStdout } from "../gateways/log/log.ts";
import { StoreFileError } from "../gateways/store/store_database.ts";
import { systemClock } from "../runtime/clock.ts";
import { DeadLetters } from "../runtime/dead_letters.ts";
import type { Failure } from "../runtime/failure.ts";
import { PublishedNames } from "../runtime/remote_names.ts";
import { WorkerFleet } from "../runtime/worker_fleet.ts";
import { historyId, httpId, type Plan, shardCount, workerSpecs } from "../topology.ts";
import {
  accountsName,
  parseAccountAsk,
  parseStandingsAsk,
  standingsName,
} from "./account_messages.ts";
import { openAccountStore } from "./account_store.ts";
import { ControlPlane } from "./control_plane.ts";
import { putDamagedAside } from "./damaged_files.ts";
import { DatabaseLogs } from "./database_logs.ts";
import { type DataDirectory, openDataDirectory } from "./data_directory.ts";
import { DirectoryWatch } from "./directory_watch.ts";
import { deviceUrls, endpointLines } from "./endpoint_lines.ts";
import { historyOf } from "./history.ts";
import { listenFirst } from "./listen_first.ts";
import { reloadCertificates } from "./reload.ts";
import { reopenShard } from "./reopen_shard.ts";
import { makePlan } from "./plan.ts";
import { shardRoutes } from "./routes.ts";
import { ServiceAccounts } from "./service_accounts.ts";
import { bansName, ServiceBans } from "./service_bans.ts";
import { storeName } from "./store_name.ts";
import { settleOwners } from "./spool_owners.ts";
import { shutDown } from "./shutdown.ts";
import { checkCertificates } from "./tls_check.ts";
import { SystemAnnouncer } from "./system_announcer.ts";
import { tellSlow, tellSlowStep } from "./tell_slow.ts";
import { tokenKeys } from "./token_keys.ts";
import { CodeSuspects } from "./code_suspects.ts";
import { HostedShard, shardId } from "./shard_handle.ts";
import { SuspectsFile } from "./suspects_file.ts";

export const version = "0.1.0";

const log = logger("service");

/**
 * How long a Worker may take to start. A shard reads its whole spool, which may be many GB after an
 * outage; whether it is alive meanwhile is told by its heartbeat.
 */
const recoveryMsMax = 3_600_000;

/** Failures of a Worker that another try does not mend. */
const endsTheStart: readonly string[] = [RouteError.name, StoreFileError.name];

/** Of the failure when the data directory is not there any more. */
export const directoryGoneName = "DataDirectoryGone";

const cannotStart = (id: string, failure: Failure): Error =>
  new Error(`Cannot start ${id}: ${failure.message}`, { cause: failure });

/** How the service came to its end: `late` names what passed its deadline. */
export interface ServiceEnd {
  readonly late: readonly string[];
}

/** See the module. */
export class Service {
  /** Settles, with the failure, when the service cannot go on. */
  readonly failed: Promise<Failure>;
  readonly #config: Config;
  readonly #data: DataDirectory;
  readonly #shards: readonly HostedShard[];
  /** HTTP: asked as a shard is, though it owns no device. */
  readonly #edge: HostedShard | undefined;
  readonly #fleet: WorkerFleet;
  readonly #control: ControlPlane;
  readonly #plan: Plan;
  /** What Workers may ask of the main thread. */
  readonly #names = new PublishedNames();
  readonly #accounts: ServiceAccounts;
  readonly #bans: ServiceBans;
  #firstAdmin: string | undefined;
  readonly #failed = Promise.withResolvers<Failure>();
  /** Rejects for what no second try can mend. */
  readonly #cannotStart = Promise.withResolvers<never>();
  readonly #suspects: SuspectsFile;
  #isFailed = false;
  #listening = false;
  readonly #announcer: SystemAnnouncer;
  readonly #databaseLogs: DatabaseLogs;
  readonly #directoryWatch: DirectoryWatch;

  private constructor(
    data: DataDirectory,
    plan: Plan,
    keys: readonly TokenKey[],
    accounts: AccountStore,
  ) {
    const { config, shards } = plan;
    this.failed = this.#failed.promise;
    this.#config = config;
    this.#data = data;
    this.#plan = plan;
    this.#suspects = new SuspectsFile(data.paths.suspects);
    const strikes = this.#suspects.read();
    const hosted = (shard: number, worker: string): HostedShard =>
      new HostedShard(
        shard,
        worker,
        () => this.#fleet.link(worker),
        () => this.#fleet.views.find(({ id }) => id === worker),
        new CodeSuspects(strikes),
      );
    this.#shards = Array.from({ length: shards }, (_, shard) => hosted(shard, shardId(shard)));
    this.#edge = servesHttp(config) ? hosted(shards, httpId) : undefined;
    this.#fleet = new WorkerFleet(
      workerSpecs(this.#plan, this.#shards, this.#edge),
      { names: this.#names, deadLetters: new DeadLetters(), readyMs: recoveryMsMax },
      {
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
          this.#giveUp(id, failure);
        },
      },
    );
    const history = historyOf(config, {
      link: () => this.#fleet.link(historyId),
      worker: () => this.#fleet.views.find(({ id }) => id === historyId),
    });
    const startedMs = systemClock.now();
    this.#control = new ControlPlane(
      {
        version,
        gateway: this.#plan.gatewayId,
        startedMs,
        store: storeName(config),
        endpoints: config.auth.advertise ?? deviceUrls(this.#plan),
        accountsRequired: config.auth.required,
      },
      this.#shards,
      history,
      this.#edge,
      () => config.auth.required ? this.#accounts.notReady : undefined,
    );
    this.#announcer = new SystemAnnouncer({
      intervalMs: config.mqtt.sysIntervalMs,
      clock: systemClock,
      service: { version, startedMs },
      snapshot: () => this.#control.snapshot(),
      shards: this.#shards,
    });
    const { devices, retained, sessions, accounts: accountsFile } = data.paths;
    this.#databaseLogs = new DatabaseLogs({
      pressure: new DiskPressure(plan.diskPressure),
      files: [devices, retained, sessions, accountsFile],
      clock: systemClock,
    });
    this.#directoryWatch = new DirectoryWatch(data.lock, systemClock, () => this.#directoryGone());
    this.#accounts = this.#openAccounts(accounts, keys);
    this.#names.publish(accountsName, this.#accounts, parseAccountAsk);
    this.#bans = new ServiceBans(this.#plan.guard.bans, data.paths.bans);
    this.#names.publish(bansName, this.#bans, parseBan);
    this.#names.publish(standingsName, this.#accounts.standings, parseStandingsAsk);
    const handler = httpApp(this.#control, {
      clock: systemClock,
      log: logger("http"),
      accounts: {
        accounts: this.#accounts.accounts,
        logins: this.#accounts.logins,
        gate: this.#accounts.gate,
        changed: () => this.#accounts.poll(),
      },
      bans: { bans: this.#bans.list, gate: this.#accounts.gate },
      counters: () => ({ ...this.#accounts.counters(), ...history.counters() }),
    });
    this.#names.publish(httpName, new Answerer(handler, systemClock), parseForwardAsk);
  }

  /**
   * Starts everything. Rejects with an error that says what to do when something of this machine is
   * in the way; a store or broker that cannot be reached is not.
   */
  static async start(config: Config): Promise<Service> {
    await shardRoutes(config); // A mistake is told at once, and not by every shard.
    await checkCertificates(config, systemClock.now());
    const data = openDataDirectory(config.dataDir);
    try {
      const damaged = tellSlowStep(
        "the databases of devices, retained messages and kept sessions are checked",
        () => putDamagedAside(data.paths),
      );
      const settling = settleOwners({
        config,
        paths: data.paths,
        files: diskFiles,
        clock: systemClock,
        shards: shardCount(config),
        statesLost: damaged.has("devices"),
      });
      const owners = await tellSlow("the spools' note of shards is read", settling);
      const plan = makePlan(config, data.paths, owners);
      const keys = await tokenKeys(config, data.paths.tokenKey);
      const opening = openAccountStore(config, data.paths.accounts);
      const accounts = await tellSlow("the accounts' database is opened", opening);
      const service = new Service(data, plan, keys, accounts);
      await service.#start();
      return service;
    } catch (cause) {
      data.lock.release();
      throw cause;
    }
  }

  /** All who take readings in. */
  get #takers(): readonly HostedShard[] {
    return this.#edge === undefined ? this.#shards : [...this.#shards, this.#edge];
  }

  /** One line per endpoint, for people. */
  get endpoints(): string[] {
    const lines = endpointLines(this.#plan);
    return this.#firstAdmin === undefined ? lines : [...lines, this.#firstAdmin];
  }

  /** Takes certificates anew; the log says what came of it. Never rejects. */
  reload(): Promise<void> {
    return reloadCertificates(this.#takers);
  }

  /** Ends the service in order. Never rejects. */
  async stop(): Promise<ServiceEnd> {
    this.#listening = false;
    this.#announcer.stop();
    const late = await shutDown({
      deadlines: this.#config.shutdown,
      takers: this.#takers,
      lost: this.#isFailed,
      close: (deadlineMs) => this.#fleet.stop(deadlineMs),
    });
    await this.#accounts.stop();
    this.#databaseLogs.stop();
    this.#directoryWatch.stop();
    this.#bans.stop();
    this.#plan.sessionSockets?.remove();
    if (!this.#isFailed) this.#suspects.remove();
    this.#data.lock.release();
    return { late };
  }

  async #start(): Promise<void> {
    const accounts = tellSlow("the accounts are read", this.#accounts.start());
    // The hash of a first admin's password takes longest: it begins before Workers hold this thread.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const started = Promise.all([this.#fleet.start(), accounts]);
    await Promise.race([started, this.#cannotStart.promise]);
    this.#listening = true;
    const wanted = () => !this.#isFailed;
    const listening = this.#takers.map((shard) => listenFirst({ shard, wanted }));
    await Promise.race([Promise.all(listening), this.#cannotStart.promise]);
    this.#announcer.start();
  }

  #openAccounts(store: AccountStore, keys: readonly TokenKey[]): ServiceAccounts {
    const config = this.#config;
    return new ServiceAccounts({
      config,
      store,
      endpoints: deviceUrls(this.#plan),
      workers: () =>
        this.#takers.flatMap(({ id, state }) => {
          const link = state === "ready" ? this.#fleet.link(id) : undefined;
          return link === undefined ? [] : [[id, link] as const];
        }),
      firstAdmin: ({ account, password }) => {
        const line = `admin      name ${account.name}, password ${password}  (told this once)`;
        // A database that was away at the start may answer much later.
        if (this.#listening) writeStdout(`${line}\n`);
        else this.#firstAdmin = line;
      },
      load: async () => {
        let sessions = 0;
        for (const { sessions: open } of await this.#control.snapshot()) {
          sessions += (open.mqtt ?? 0) + (open.ws ?? 0);
        }
        return Math.min(1, sessions / config.mqtt.connectionsMax);
      },
    }, keys);
  }

  /** A Worker is up, for the first time or anew. */
  #ready(id: string): void {
    this.#accounts.started(id);
    const shard = this.#takers.find((candidate) => candidate.id === id);
    if (shard === undefined) return;
    const link = this.#fleet.link(id);
    reopenShard({
      shard,
      current: () => link !== undefined && this.#fleet.link(id) === link,
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
    const shard = this.#takers.find((candidate) => candidate.id === id);
    shard?.books.died();
    const device = shard?.suspects.died();
    if (device !== undefined) {
      const message =
        "the code of a device took its shard down; it is not run before the service stops, " +
        "or before the device is released from quarantine";
      log.error(message, { device });
    }
    if (final) this.#giveUp(id, failure);
  }

  /** Nothing can be kept any more: what is in memory may still reach the store. */
  #directoryGone(): void {
    const message = `the data directory ${this.#config.dataDir} was deleted, moved or replaced`;
    log.error(`${message} while the service runs: the service ends`);
    this.#giveUp("the service", { name: directoryGoneName, message, atMs: systemClock.now() });
  }

  #giveUp(id: string, failure: Failure): void {
    this.#isFailed = true;
    this.#cannotStart.reject(cannotStart(id, failure));
    this.#suspects.write(this.#shards.map(({ suspects }) => suspects));
    this.#failed.resolve(failure);
  }
}
