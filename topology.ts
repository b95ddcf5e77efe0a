/**
 * Which part runs where. Start reading here.
 *
 * ```text
 * main thread    configuration, supervision of the Workers, answers of the API and the dashboard
 * shard-0 … n-1  one Worker each: MQTT endpoint and broker connections, device actors, spool, writer
 * http           one Worker: the HTTP listener; readings go to their shards, the rest to main
 * store          one Worker: the embedded store, when there is no other
 * history        one Worker: reads the embedded store for the API
 * ```
 *
 * Every device belongs to one shard (`owner = hash(device id) mod shards`); any shard takes its
 * readings in and sends them there, one hop at most. The limits of all queues are derived in
 * topology/limits.ts. This is the one file that names the Workers' entries.
 *
 * @module
 */
import type { Config } from "./config.ts";
import type { ListenAddress } from "./config/listen_address.ts";
import type { StoreInit } from "./gateways/store/store_init.ts";
import type { WorkerSpec } from "./runtime/worker_spec.ts";
import { type DataPaths, orphansOf } from "./topology/data_directory.ts";
import { shardLimits, storeLimits } from "./topology/limits.ts";
import { type HostedShard, shardId } from "./topology/shard_handle.ts";
import type { GuardMemory } from "./topology/guard.ts";
import type { SessionSockets } from "./topology/session_sockets.ts";
import { socketClosed } from "./topology/thread_probe.ts";
import type { HttpInit } from "./topology/http_init.ts";
import type { ShardInit } from "./topology/shard_protocol.ts";

/** The Workers' own names, also for their peers. */
export const storeId = "store";
export const historyId = "history";
export const httpId = "http";

const shardEntry = new URL("./topology/shard_worker.ts", import.meta.url);
const storeEntry = new URL("./gateways/store/store_worker.ts", import.meta.url);
const httpEntry = new URL("./topology/http_worker.ts", import.meta.url);
const historyEntry = new URL("./gateways/store/history_worker.ts", import.meta.url);

/** What is the same for every start of every Worker. */
export interface Plan {
  readonly config: Config;
  readonly shards: number;
  /** Segments of spools whose readings the saved states of devices know: their salts. */
  readonly told: readonly number[];
  readonly gatewayId: string;
  readonly paths: DataPaths;
  readonly mqtt: ListenAddress | undefined;
  readonly mqttTls: ListenAddress | undefined;
  /** Shared by the spools of all shards. */
  readonly diskPressure: SharedArrayBuffer;
  /** What a spool owes the store of devices that another shard owns. */
  readonly owedElsewhere: SharedArrayBuffer;
  /** Spools that take nothing now, for the edges. */
  readonly stalls: SharedArrayBuffer;
  readonly http: ListenAddress | undefined;
  readonly httpTls: ListenAddress | undefined;
  /** What all Workers know together of those who send. */
  readonly guard: GuardMemory;
  /** For MQTT over WebSocket, which comes in by HTTP; absent when it is turned off. */
  readonly sessionSockets: SessionSockets | undefined;
}

/** How many shards a configuration asks for; if it does not say, as many as cores and memory allow. */
export function shardCount(config: Config, cores = navigator.hardwareConcurrency): number {
  if (config.shards !== undefined) return config.shards;
  for (let shards = cores; shards > 1; shards--) {
    try {
      shardLimits(config, shards);
      return shards;
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause; // Too many for the budget: one fewer.
    }
  }
  return 1;
}

/**
 * One write of 10,000 readings of new series, or one page of very many, takes seconds on a slow disk,
 * and the thread shows no life meanwhile. Ended before, it would be asked for the same again.
 */
const storeSilenceMs = 30_000;

/** The Workers of the service, in the order in which they start: first what takes longest to load. */
export function workerSpecs(
  plan: Plan,
  shards: readonly HostedShard[],
  edge: HostedShard | undefined,
): WorkerSpec[] {
  const specs = shards.map((shard): WorkerSpec => ({
    id: shardId(shard.shard),
    create: () => new Worker(shardEntry, { type: "module", name: shard.id }),
    init: () => shardInit(plan, shard),
    // It listens: the kernel goes on giving connections to a thread that spins.
    ...shardThreadEnded(plan, shard.shard),
  }));
  if (edge !== undefined) {
    const init = httpInit(plan, edge);
    specs.push({
      id: httpId,
      create: () => new Worker(httpEntry, { type: "module", name: httpId }),
      init,
      ...threadEndedBy(plan.http ?? plan.httpTls), // It keeps the port.
    });
  }
  if (plan.config.influx.url === undefined) {
    specs.push(
      {
        id: storeId,
        create: () => new Worker(storeEntry, { type: "module", name: storeId }),
        init: () => storeInit(plan, "write"),
        silenceMs: storeSilenceMs,
      },
      {
        id: historyId,
        create: () => new Worker(historyEntry, { type: "module", name: historyId }),
        init: () => storeInit(plan, "read"),
        silenceMs: storeSilenceMs,
      },
    );
  }
  return specs;
}

function shardThreadEnded(
  { mqtt, mqttTls, sessionSockets }: Plan,
  shard: number,
): Pick<WorkerSpec, "threadEnded"> {
  if (mqtt === undefined && mqttTls === undefined && sessionSockets === undefined) return {};
  const path = sessionSockets?.path(shard);
  // Without a socket that is only its own nobody can tell.
  if (path === undefined) return { threadEnded: () => Promise.resolve(false) };
  return { threadEnded: () => socketClosed(() => Deno.connect({ transport: "unix", path })) };
}

function threadEndedBy(listens: ListenAddress | undefined): Pick<WorkerSpec, "threadEnded"> {
  if (listens === undefined) return {};
  const { hostname, port } = listens;
  const dial = { hostname: anyAddress[hostname] ?? hostname, port };
  return { threadEnded: () => socketClosed(() => Deno.connect(dial)) };
}

/** What listens everywhere is reached at. */
const anyAddress: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

function httpInit(
  { config, shards, gatewayId, guard, sessionSockets, stalls, http, httpTls }: Plan,
  { books }: HostedShard,
): () => HttpInit {
  return () => {
    books.freeze();
    const sessionPaths = sessionSockets &&
      Array.from({ length: shards }, (_, shard) => sessionSockets.path(shard));
    const ledgerMemory = books.memory;
    return {
      config,
      shards,
      gatewayId,
      http,
      httpTls,
      sessionPaths,
      ledgerMemory,
      stalls,
      guard: guard.init(),
    };
  };
}

function storeInit({ config, paths }: Plan, use: "write" | "read"): StoreInit {
  const { retentionMs, retentionBytesMax } = config.store;
  const { level, format } = config.log;
  const { devicesMax, ...cache } = storeLimits(config);
  const cacheBytes = use === "write" ? cache.writeCacheBytes : cache.readCacheBytes;
  const log = { level, format };
  return { path: paths.store, retentionMs, retentionBytesMax, cacheBytes, devicesMax, log };
}

/** Broker connections go round the shards; a spool without a shard goes to the next in line. */
function shardInit(plan: Plan, handle: HostedShard): ShardInit {
  const { config, shards, gatewayId, mqtt, mqttTls, paths } = plan;
  const { shard, books, suspects } = handle;
  const adopts = books.adopts;
  books.freeze();
  return {
    shard,
    shards,
    config,
    gatewayId,
    ledgerMemory: books.memory,
    codeTrace: suspects.memory,
    suspects: suspects.list,
    diskPressure: plan.diskPressure,
    owedElsewhere: plan.owedElsewhere,
    stalls: plan.stalls,
    guard: plan.guard.init(),
    adopts,
    orphans: orphansOf(paths.spool, shards)[shard] ?? [],
    orphanLetters: orphansOf(paths.deadLetters, shards)[shard] ?? [],
    told: plan.told,
    mqtt,
    mqttTls,
    sessionPath: plan.sessionSockets?.path(shard),
    brokers: config.broker.urls.map((_, i) => i).filter((i) => i % shards === shard),
  };
}
