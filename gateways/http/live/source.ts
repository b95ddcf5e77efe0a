/**
 * Where live views come from: every shard is asked what has changed since it was asked before, so
 * nothing is kept for a viewer, and one that is slow gets the latest state and no queue.
 *
 * @module
 */
import { isFields } from "../../../runtime/fields.ts";
import type { DeviceView } from "../control.ts";

/** Which devices: one, or those whose ids begin so; "" for all. */
export interface DeviceFilter {
  readonly device: string;
  readonly prefix: string;
}

export interface ChangesQuery extends DeviceFilter {
  /** What an earlier answer of the shard gave as `until`; 0: all devices. */
  readonly since: number;
  /** Asks for the tally too: of the devices that have a value of each of these names. */
  readonly having?: readonly string[];
}

export interface DeviceChanges {
  readonly devices: readonly DeviceView[];
  readonly until: number;
  /** There are others already. */
  readonly more: boolean;
  /** Of the same moment as `until`: who has heard of every change up to there can compare. */
  readonly tally?: DeviceTally;
}

export interface DeviceTally {
  devices: number;
  /** All ids as one number: the exclusive or of their FNV-1a. */
  checksum: number;
}

/** The shards. Rejects when one does not answer. */
export interface LiveSource {
  readonly shards: number;
  changes(shard: number, query: ChangesQuery): Promise<DeviceChanges>;
}

const isChanges = (value: unknown): value is DeviceChanges =>
  isFields(value) && Array.isArray(value.devices) && typeof value.until === "number" &&
  typeof value.more === "boolean" && (value.tally === undefined || isTally(value.tally));
const isTally = (value: unknown): value is DeviceTally =>
  isFields(value) && typeof value.devices === "number" && typeof value.checksum === "number";

/** @throws {TypeError} when it is none. */
export function parseChanges(value: unknown): DeviceChanges {
  if (isChanges(value)) return value;
  throw new TypeError("Cannot read what changed in a shard: wrong shape");
}
