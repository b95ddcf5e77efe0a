/**
 * The running service: its Workers, the accounts and bans they ask for, and the answers to what they
 * pass on of HTTP; started and ended in order.
 *
 * @module
 */
import { parseBan } from "../actors/rates/ban_list.ts";
import { DiskPressure } from "../actors/spool/disk_pressure.ts";
import type { Config } from "../config.ts";
import { httpApp } from "../gateways/http/app.ts";
import { Answerer } from "../gateways/http/forward/answerer.ts";
import { httpName, parseForwardAsk } from "../gateways/http/forward/protocol.ts";
import { logger } from "../gateways/log/log.ts";
import { stdoutLines } from "../gateways/log/stdout.ts";
import { systemClock } from "../runtime/clock.ts";
import { eventLoopTurn } from "../runtime/event_loop_turn.ts";
import { type Failure, failureOf } from "../runtime/failure.ts";
import { PublishedNames } from "../runtime/remote_names.ts";
import { historyId, type Plan } from "../topology.ts";
import {
  accountsName,
  parseAccountAsk,
  parseStandingsAsk,
  standingsName,
} from "./account_messages.ts";
import { ControlPlane } from "./control_plane.ts";
import { DatabaseLogs } from "./database_logs.ts";
import type { DataDirectory } from "./data_directory.ts";
import { DirectoryWatch } from "./directory_watch.ts";
import { deviceUrls, endpointLines } from "./endpoint_lines.ts";
import { historyOf } from "./history.ts";
import { type PreparedStart, prepareStart } from "./prepare_start.ts";
import { reloadCertificates } from "./reload.ts";
import { ServiceAccounts } from "./service_accounts.ts";
import { bansName, ServiceBans } from "./service_bans.ts";
import { ServiceWorkers } from "./service_workers.ts";
import { storeName } from "./store_name.ts";
import { SystemAnnouncer } from "./system_announcer.ts";
import { tellSlow } from "./tell_slow.ts";

export const version = "0.1.0";

const log = logger("service");

/** Of the failure when the data directory is not there any more. */
export const directoryGoneName = "DataDirectoryGone";

/** How the service came to its end: `late` names what passed its deadline. */
export interface ServiceEnd {
  readonly late: readonly string[];
}

/** See the module. */
export class Service {
  /** Settles, with the failure, when the service cannot go on. */
  readonly failed: Promise<Failure>;
  readonly #data: DataDirectory;
  readonly #workers: ServiceWorkers;
  readonly #control: ControlPlane;
  readonly #plan: Plan;
  /** What Workers may ask of the main thread. */
  readonly #names = new PublishedNames();
  readonly #accounts: ServiceAccounts;
  readonly #bans: ServiceBans;
  #firstAdmin: string | undefined;
  readonly #announcer: SystemAnnouncer;
  readonly #databaseLogs: DatabaseLogs;
  readonly #directoryWatch: DirectoryWatch;

  private constructor(prepared: PreparedStart) {
    const { data, plan } = prepared;
    const { config } = plan;
    this.#data = data;
    this.#plan = plan;
    const workers = this.#workers = new ServiceWorkers({
      plan,
      names: this.#names,
      ready: (id) => this.#accounts.started(id),
    });
    this.failed = workers.failed;
    const history = historyOf(config, {
      link: () => workers.link(historyId),
      worker: () => workers.view(historyId),
    });
    const startedMs = systemClock.now();
    this.#control = new ControlPlane(
      {
        version,
        gateway: plan.gatewayId,
        startedMs,
        store: storeName(config),
        endpoints: config.auth.advertise ?? deviceUrls(plan),
        accountsRequired: config.auth.required,
      },
      workers.shards,
      history,
      workers.edge,
      () => config.auth.required ? this.#accounts.notReady : undefined,
    );
    this.#announcer = new SystemAnnouncer({
      intervalMs: config.mqtt.sysIntervalMs,
      clock: systemClock,
      service: { version, startedMs },
      snapshot: () => this.#control.snapshot(),
      shards: workers.shards,
    });
    const { devices, retained, sessions, accounts } = data.paths;
    this.#databaseLogs = new DatabaseLogs({
      pressure: new DiskPressure(plan.diskPressure),
      files: [devices, retained, sessions, accounts],
      clock: systemClock,
    });
    this.#directoryWatch = new DirectoryWatch(data.lock, systemClock, () => this.#directoryGone());
    this.#accounts = this.#openAccounts(prepared);
    this.#names.publish(accountsName, this.#accounts, parseAccountAsk);
    this.#bans = new ServiceBans(plan.guard.bans, data.paths.bans);
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
      counters: () => ({
        ...this.#accounts.counters(),
        ...history.counters(),
        ...stdoutLines.counters(),
      }),
    });
    this.#names.publish(httpName, new Answerer(handler, systemClock), parseForwardAsk);
  }

  /**
   * Starts everything. Rejects with an error that says what to do when something of this machine is
   * in the way; a store or broker that cannot be reached is not.
   */
  static async start(config: Config): Promise<Service> {
    const prepared = await prepareStart(config);
    try {
      const service = new Service(prepared);
      await service.#start();
      return service;
    } catch (cause) {
      prepared.data.lock.release();
      throw cause;
    }
  }

  /** One line per endpoint, for people. */
  get endpoints(): string[] {
    const lines = endpointLines(this.#plan);
    return this.#firstAdmin === undefined ? lines : [...lines, this.#firstAdmin];
  }

  /** Takes certificates anew; the log says what came of it. Never rejects. */
  reload(): Promise<void> {
    return reloadCertificates(this.#workers.takers);
  }

  /** Something failed that nobody caught, so that no more may be relied on: see {@linkcode failed}. */
  giveUp(cause: unknown): void {
    const failure = failureOf(cause, systemClock.now());
    const { name, message, stack } = failure;
    log.error("a defect: the service ends", { failure: `${name}: ${message}`, stack });
    this.#workers.giveUp("the service", failure);
  }

  /** Ends the service in order. Never rejects. */
  async stop(): Promise<ServiceEnd> {
    this.#announcer.stop();
    const late = await this.#workers.stop();
    await this.#accounts.stop();
    this.#databaseLogs.stop();
    this.#directoryWatch.stop();
    this.#bans.stop();
    this.#plan.sessionSockets?.remove();
    this.#data.lock.release();
    return { late };
  }

  async #start(): Promise<void> {
    const accounts = tellSlow("the accounts are read", this.#accounts.start());
    // The hash of a first admin's password takes longest: it begins before Workers hold this thread.
    await eventLoopTurn();
    await Promise.all([this.#workers.start(), accounts]);
    await this.#workers.listen();
    this.#announcer.start();
  }

  /** Nothing can be kept any more: what is in memory may still reach the store. */
  #directoryGone(): void {
    const message = `the data directory ${this.#data.paths.root} was deleted, moved or replaced`;
    log.error(`${message} while the service runs: the service ends`);
    const failure = { name: directoryGoneName, message, atMs: systemClock.now() };
    this.#workers.giveUp("the service", failure);
  }

  #openAccounts({ plan, accounts: store, keys }: PreparedStart): ServiceAccounts {
    const { config } = plan;
    return new ServiceAccounts({
      config,
      store,
      endpoints: deviceUrls(plan),
      workers: () =>
        this.#workers.takers.flatMap(({ id, state }) => {
          const link = state === "ready" ? this.#workers.link(id) : undefined;
          return link === undefined ? [] : [[id, link] as const];
        }),
      firstAdmin: ({ account, password }) => {
        const line = `admin      name ${account.name}, password ${password}  (told this once)`;
        // A database that was away at the start may answer much later.
        if (this.#workers.listening) stdoutLines.write(`${line}\n`);
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
}
