/**
 * What the Workers of the embedded store are started with, parsed where it arrives.
 *
 * @module
 */
import { isFields } from "../../runtime/fields.ts";
import type { LogOptions } from "../log/log.ts";
import type { RetentionLimits } from "./retention.ts";

/** The plain data that topology.ts gives; an absent limit is none. */
export interface StoreInit {
  /** The file. */
  readonly path: string;
  readonly retentionMs?: number | undefined;
  readonly retentionBytesMax?: number | undefined;
  /** What SQLite may keep of the file in memory. */
  readonly cacheBytes?: number | undefined;
  /** Devices whose series are kept at hand. */
  readonly devicesMax?: number | undefined;
  /** Default: info, as text. */
  readonly log?: Pick<LogOptions, "level" | "format"> | undefined;
}

/** {@linkcode StoreInit} as the Workers use it. */
export interface StoreSettings {
  readonly path: string;
  readonly retention: RetentionLimits;
  readonly cacheBytes?: number;
  readonly devicesMax?: number;
  readonly log: Pick<LogOptions, "level" | "format">;
}

const levels = ["debug", "info", "warning", "error"] as const;

/** @throws {TypeError} when there is no path. */
export function parseStoreInit(init: unknown): StoreSettings {
  if (!isFields(init) || typeof init.path !== "string") {
    throw new TypeError("Cannot start the embedded store: it was given no path");
  }
  const { path, retentionMs, retentionBytesMax, cacheBytes, devicesMax, log } = init;
  const { level, format } = isFields(log) ? log : {};
  return {
    path,
    ...(typeof cacheBytes === "number" ? { cacheBytes } : {}),
    ...(typeof devicesMax === "number" ? { devicesMax } : {}),
    retention: {
      ...(typeof retentionMs === "number" ? { ageMaxMs: retentionMs } : {}),
      ...(typeof retentionBytesMax === "number" ? { bytesMax: retentionBytesMax } : {}),
    },
    log: {
      level: levels.find((known) => known === level) ?? "info",
      format: format === "json" ? "json" : "text",
    },
  };
}
