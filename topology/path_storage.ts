/**
 * What the path of a reading has on disk, opened: its spool, its dead letters, the states of its
 * devices.
 *
 * @module
 */
import type { DeadLetterLog } from "../actors/dead_letters/dead_letter_log.ts";
import { Histogram } from "../actors/histogram.ts";
import type { CompiledRoute } from "../actors/route.ts";
import { diskFiles } from "../actors/segment_log/disk_files.ts";
import { DiskPressure } from "../actors/spool/disk_pressure.ts";
import { OwedElsewhere } from "../actors/spool/owed_elsewhere.ts";
import type { Recovery } from "../actors/spool/recovery.ts";
import { Stalls } from "../actors/spool/stalls.ts";
import type { SpoolRecord } from "../actors/spool/record.ts";
import { Spool } from "../actors/spool/spool.ts";
import type { Ledger } from "../actors/ledger.ts";
import type { Config } from "../config.ts";
import { logger } from "../gateways/log/log.ts";
import { stdoutLines } from "../gateways/log/stdout.ts";
import { diskRoom } from "../gateways/store/disk_room.ts";
import { systemClock } from "../runtime/clock.ts";
import { random32 } from "../runtime/random.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { dataPaths } from "./data_directory.ts";
import { type DataFlowTap, dataFlowTap } from "./data_flow_tap.ts";
import { saveIntervalMs } from "./device_saves.ts";
import { diskUse } from "./disk_use.ts";
import type { ShardLimits } from "./limits.ts";
import { PathEvents } from "./path_events.ts";
import { openLetters } from "./path_letters.ts";
import { roomForStore } from "./room_for_store.ts";
import { ShardDevices } from "./shard_devices.ts";
import type { ShardInit } from "./shard_protocol.ts";
import { storeName } from "./store_name.ts";

const log = logger("path");
const clock = systemClock;

/** What was saved of the devices may be lost with the machine's power for so long. */
const unsyncedMs = 3 * saveIntervalMs;

/** How long the spool keeps what the store took: the embedded store's yes is durable. */
export const keepMs = (config: Config): number =>
  config.influx.url === undefined ? 0 : config.spool.keepMs;

export interface StorageOptions {
  readonly init: ShardInit;
  readonly ledger: Ledger;
  readonly system: ActorSystem;
  readonly limits: ShardLimits;
  readonly routes: readonly CompiledRoute[];
  /** Told what is being opened. */
  readonly stage: (stage: string) => void;
}

export interface PathStorage {
  readonly spool: Spool;
  readonly letters: DeadLetterLog;
  readonly devices: ShardDevices;
  /** Readings found in the spool. */
  readonly recovered: number;
  /** Counters by metric name. */
  readonly counters: Record<string, number>;
  /** Where the spool offers what it has just made durable, once somebody listens. */
  readonly live: { offer: (record: SpoolRecord) => boolean };
  readonly events: PathEvents;
  readonly storeSeconds: Histogram;
  readonly tap: DataFlowTap | undefined;
}

/** See the module. */
export async function openStorage(options: StorageOptions): Promise<PathStorage> {
  const { init, ledger, routes, stage } = options;
  const { config, shard, shards, orphans } = init;
  const paths = dataPaths(config.dataDir);
  const counters: Record<string, number> = {
    sluice_spool_torn_bytes_total: 0,
    sluice_spool_corrupt_bytes_total: 0,
    sluice_dead_letters_dropped_total: 0,
  };
  const storeSeconds = new Histogram();
  const stalls = new Stalls(init.stalls);
  stalls.set(init.shard, false); // The incarnation before may have said otherwise.
  const events = new PathEvents(
    storeName(config),
    ledger,
    counters,
    storeSeconds,
    (stalled) => stalls.set(init.shard, stalled),
    () => diskUse(paths.root),
  );
  const { log: letters, report: lettersReport } = await openLetters(init, counters, stage);
  const tap = config.log.dataFlow ? dataFlowTap(() => clock.now(), stdoutLines) : undefined;
  const devices = await ShardDevices.open(options, routes, tap);
  const live = { offer: (_record: SpoolRecord) => false };
  const bytesMax = Math.ceil(config.spool.bytesMax / shards);
  stage("its spool is read");
  const { spool, report } = await Spool.open({
    files: diskFiles,
    clock,
    time: devices.time,
    directory: `${paths.spool}/${shard}`,
    orphans,
    ...(devices.statesKnown ? { told: new Set(init.told) } : {}),
    segmentBytes: Math.min(config.spool.segmentBytes, Math.floor(bytesMax / 4)),
    bytesMax,
    ...(config.spool.ageMaxMs === undefined ? {} : { ageMaxMs: config.spool.ageMaxMs }),
    whenFull: config.spool.full,
    keepMs: keepMs(config),
    rememberedUpToMs: () => Math.min(devices.time.now() - unsyncedMs, devices.savedUpToMs),
    random32,
    events,
    live: (record) => live.offer(record),
    part: letters,
    pressure: new DiskPressure(init.diskPressure),
    ...(config.influx.url === undefined
      ? { leavesRoom: roomForStore(() => diskRoom(paths.root)) }
      : {}),
    owedElsewhere: new OwedElsewhere(init.owedElsewhere, shard, shards),
  }, (record) => devices.recovered(record));
  if (init.adopts) ledger.adopted(report.pending);
  else ledger.recovered(report.pending);
  counters["sluice_spool_torn_bytes_total"]! += report.tornBytes + lettersReport.tornBytes;
  counters["sluice_spool_corrupt_bytes_total"]! += report.corruptBytes;
  tellRecovered(report, lettersReport.corruptBytes, [
    `${paths.spool}/${shard}`,
    `${paths.deadLetters}/${shard}`,
  ]);
  return {
    spool,
    letters,
    devices,
    recovered: report.pending,
    counters,
    live,
    events,
    storeSeconds,
    tap,
  };
}

/** What was found in the spool, and what is damaged in these directories, goes to the log. */
function tellRecovered(
  { pending, segments, tornBytes, corruptBytes, lostItems }: Recovery["report"],
  deadLetterBytes: number,
  directories: readonly string[],
): void {
  if (pending > 0 || tornBytes > 0 || corruptBytes > 0) {
    log.info("recovered the spool", { readings: pending, segments, tornBytes, corruptBytes });
  }
  if (corruptBytes > 0 || deadLetterBytes > 0) {
    log.error(
      "files on the disk are damaged: what was in the damaged parts is lost, but for what the store has",
      { spoolBytes: corruptBytes, spoolReadings: lostItems, deadLetterBytes, directories },
    );
  }
}
