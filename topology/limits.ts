/**
 * The limits of every queue and buffer, derived from one number: `limits.memoryBytesMax`. The
 * embedded store, the HTTP edge and the tables of senders get their part, each shard an equal share of the rest, and the parts of a share are
 * one sum that is checked here, at start.
 *
 * @module
 */
import { charsPerDevice } from "../actors/device_directory.ts";
import { remainsMemoryBytes } from "../actors/spool/remains.ts";
import type { Config } from "../config.ts";
import { servesHttp } from "../config/serves_http.ts";
import { guardBytes } from "./guard.ts";
import { readCacheBytesMax, writeCacheBytesMax } from "../gateways/store/store_database.ts";

/** Bytes, per shard. */
export interface ShardLimits {
  /** Credit of one lane: what edges gathered or sent and the owner has not settled. */
  readonly laneBytes: number;
  /** Lines of the readings that gather for one commit; a few bytes of a payload may make many. */
  readonly groupBytes: number;
  /** Grown read buffers of all connections. */
  readonly readBytes: number;
  /** Messages on their way to subscribers, here and in other shards. */
  readonly messageBytes: number;
  /** Committed readings that wait in memory for the store; what exceeds it is read from the disk. */
  readonly liveBytes: number;
  /** One read of the replay. */
  readonly replayBytes: number;
  /** What devices remember of readings that are not young any more, to know them again. */
  readonly windowBytes: number;
  /** What the code of active devices keeps; 0 without code. */
  readonly codeStateBytes: number;
  /** The sum of all of it, with the copies that are made on the way. */
  readonly sumBytes: number;
}

const mib = 1024 * 1024;

/** Acknowledgement levels: a lane each. */
const levels = 2;
/** A lane's bytes exist at the sender, in transit or at the owner, and once more as lines. */
const laneCopies = 4;
/** A group's buffer doubles when it grows, and the group before it is being written. */
const groupCopies = 3;
/** A shard's part of the spool has room for at least so many commits. */
const groupsPerSpool = 4;
/** What is read, and, of acknowledgements that nobody takes, a quarter of that. */
const bothWays = 1.25;
/** A write is joined into one body, and perhaps compressed. */
const bodyCopies = 2;
/** Live, replay, and a batch that is being split. */
const writesAtOnce = 3;
/** A text with a character outside of Latin-1 takes two bytes for each. */
const stateCopies = 2;

/** Bytes, of the embedded store's two Workers; 0 where there is another store. */
export interface StoreLimits {
  /** What SQLite may keep in memory of the file, for writing and for reading. */
  readonly writeCacheBytes: number;
  readonly readCacheBytes: number;
  /** Devices whose series are kept at hand. */
  readonly devicesMax: number;
  readonly sumBytes: number;
}

/** A device's series, as the store keeps them at hand; twice as many for a while. */
const seriesBytes = 2 * 330;

export function storeLimits({ influx, limits }: Config): StoreLimits {
  if (influx.url !== undefined) {
    return { writeCacheBytes: 0, readCacheBytes: 0, devicesMax: 0, sumBytes: 0 };
  }
  const writeCacheBytes = Math.min(writeCacheBytesMax, limits.memoryBytesMax / 8);
  const readCacheBytes = Math.min(readCacheBytesMax, limits.memoryBytesMax / 32);
  const devicesMax = Math.floor(Math.min(100_000, limits.memoryBytesMax / 8 / seriesBytes));
  const sumBytes = writeCacheBytes + readCacheBytes + devicesMax * seriesBytes;
  return { writeCacheBytes, readCacheBytes, devicesMax, sumBytes };
}

/** Bytes, of the Worker that serves HTTP. */
export interface HttpLimits {
  readonly laneBytes: number;
  /** Bodies under way, as they came or unpacked. */
  readonly bodyBytes: number;
  /** Messages on their way to subscribers, and those kept for who follows topics. */
  readonly messageBytes: number;
  /** Messages as events, for who follows topics and has not taken them. */
  readonly followerBytes: number;
  /** Frames of stations; as much again for the read buffers of all connections. */
  readonly webSocketBytes: number;
  readonly sumBytes: number;
}

/** Devices known at most for each that may be active. */
const knownPerActive = 5;

/** Devices known at most, over all shards. */
export const devicesKnownMax = ({ device }: Config): number => device.activeMax * knownPerActive;

/** Of handing devices over to other shards, which is done before any of these starts. */
export interface HandoverLimits {
  /** Devices held at a time, of a KiB or so each. */
  readonly devicesMax: number;
  /** Bytes of what they remember of readings, young ones included, and of what their code keeps. */
  readonly heldBytes: number;
  /** Of these, for readings that are not young any more. */
  readonly windowBytes: number;
  /** See the directory's option: what is handed over must fit into what the shards know. */
  readonly shortFrom: number;
}

export function handoverLimits(config: Config, shards: number): HandoverLimits {
  const quarter = config.limits.memoryBytesMax / 4;
  return {
    devicesMax: Math.floor(Math.min(100_000, quarter / 1024)),
    heldBytes: Math.floor(Math.min(128 * mib, quarter)),
    windowBytes: shardLimits(config, shards).windowBytes * shards,
    shortFrom: devicesKnownMax(config) * charsPerDevice / 2,
  };
}

/** A body is there as it came, unpacked, and once more while it is cut into readings. */
const bodyCopiesHttp = 3;

export function httpLimits(config: Config, shards: number): HttpLimits {
  const { limits } = config;
  if (!servesHttp(config)) {
    const none = { laneBytes: 0, bodyBytes: 0, messageBytes: 0, followerBytes: 0 };
    return { ...none, webSocketBytes: 0, sumBytes: 0 };
  }
  const share = limits.memoryBytesMax / 8;
  const lanes = shards * levels;
  const laneBytes = Math.floor(Math.min(mib, share / 4 / laneCopies / lanes));
  const bodyBytes = Math.floor(Math.min(32 * mib, share / 4));
  const messageBytes = Math.floor(Math.min(16 * mib, share / 4));
  const followerBytes = Math.floor(messageBytes / 2);
  const webSocketBytes = Math.floor(Math.min(16 * mib, share / 8));
  const sumBytes = lanes * laneBytes * laneCopies + bodyBytes * bodyCopiesHttp + messageBytes +
    followerBytes + 2 * webSocketBytes;
  return { laneBytes, bodyBytes, messageBytes, followerBytes, webSocketBytes, sumBytes };
}

/**
 * @throws {RangeError} when the budget is too small for this many shards or this large a payload,
 * with what to change.
 */
export function shardLimits(config: Config, shards: number): ShardLimits {
  const others = storeLimits(config).sumBytes + httpLimits(config, shards).sumBytes +
    guardBytes(config, shards);
  const share = (config.limits.memoryBytesMax - others) / shards;
  const lanes = shards * levels;
  // With many shards there are many lanes: each still has room for a payload.
  const laneBytes = Math.max(
    config.limits.payloadBytesMax,
    Math.floor(Math.min(4 * mib, share / 4 / laneCopies / lanes)),
  );
  // A small spool is filled by many groups, not overrun by one.
  const groupBytes = Math.floor(
    Math.min(16 * mib, share / 32, config.spool.bytesMax / shards / groupsPerSpool),
  );
  const readBytes = Math.floor(Math.min(64 * mib, share / 8));
  const messageBytes = Math.floor(Math.min(32 * mib, share / 16));
  const replayBytes = Math.floor(Math.min(4 * mib, share / 32));
  const windowBytes = Math.floor(Math.min(8 * mib, share / 64));
  const codeStateBytes = config.routes.some(({ module }) => module !== undefined)
    ? Math.floor(Math.min(64 * mib, share / 16 / stateCopies))
    : 0;
  const writeBytes = writesAtOnce * bodyCopies * config.store.batchBytesMax;
  const liveBytes = Math.floor(
    Math.min(
      128 * mib,
      share - lanes * laneBytes * laneCopies - groupBytes * groupCopies - readBytes * bothWays -
        messageBytes - replayBytes - windowBytes - codeStateBytes * stateCopies -
        remainsMemoryBytes - writeBytes,
    ),
  );
  if (liveBytes < config.store.batchBytesMax) {
    throw new RangeError(
      `limits.memoryBytesMax: ${config.limits.memoryBytesMax} bytes over ${shards} shards cannot ` +
        `hold payloads of ${config.limits.payloadBytesMax} bytes (limits.payloadBytesMax) and ` +
        `writes of ${config.store.batchBytesMax} bytes (store.batchBytesMax); raise it, or lower ` +
        `these or shards`,
    );
  }
  if (readBytes < config.mqtt.packetBytesMax) {
    throw new RangeError(
      `mqtt.packetBytesMax: a packet of ${config.mqtt.packetBytesMax} bytes does not fit into the ` +
        `${readBytes} bytes that each of ${shards} shards has to read into; lower it, or raise ` +
        `limits.memoryBytesMax`,
    );
  }
  const sumBytes = lanes * laneBytes * laneCopies + groupBytes * groupCopies +
    readBytes * bothWays +
    messageBytes + replayBytes + windowBytes + codeStateBytes * stateCopies +
    remainsMemoryBytes + writeBytes + liveBytes;
  return {
    laneBytes,
    groupBytes,
    readBytes,
    messageBytes,
    liveBytes,
    replayBytes,
    windowBytes,
    codeStateBytes,
    sumBytes,
  };
}
