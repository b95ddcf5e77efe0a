/**
 * What the HTTP edge asks of the rest: the seam between the API and the shards. The main thread
 * implements {@linkcode Control} by asking every shard and merging the answers.
 *
 * @module
 */
import type { RefusedTopicList } from "../../actors/refused_topics.ts";
import type { ShardSnapshot } from "../../actors/snapshot.ts";
import type { ActorView } from "../../runtime/inspect.ts";

/** All methods may reject, for example when a shard is being restarted: that becomes a 503. */
export interface Control {
  readonly service: ServiceInfo;
  snapshot(): Promise<readonly ShardSnapshot[]>;
  /** Why readings cannot be taken now, one sentence each; empty when they can. */
  notReady(): Promise<readonly string[]>;
  devices(query: DeviceQuery): Promise<Page<DeviceView>>;
  device(id: string): Promise<DeviceView | undefined>;
  /** Gives a quarantined device another chance. */
  release(id: string): Promise<Release>;
  /** The parameters as they came; whoever knows the store checks them. */
  readings(parameters: ReadonlyMap<string, string>): Promise<ReadingsAnswer>;
  /** `undefined` when there is no actor at `under`. */
  actors(query: ActorQuery): Promise<ActorView | undefined>;
  deadLetters(query: DeadLetterQuery): Promise<Page<DeadLetterView>>;
  replayDeadLetters(choice: ReplayChoice): Promise<ReplayResult>;
  /** The topics whose readings were refused last. */
  refusedTopics(): Promise<RefusedTopicList>;
}

/** What does not change while the process runs. */
export interface ServiceInfo {
  readonly version: string;
  readonly gateway: string;
  /** Wall time, ms since the epoch. */
  readonly startedMs: number;
  /** The store's name without secrets, for example `InfluxDB http://127.0.0.1:8086`. */
  readonly store: string;
  /** URLs that devices may connect to, those that listen everywhere as `0.0.0.0` or `[::]`. */
  readonly endpoints: readonly string[];
  readonly accountsRequired: boolean;
}

/** Part of a list. `next` is the `after` that continues it; absent at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** `after` is the `next` of the page before. */
export interface PageQuery {
  readonly limit: number;
  readonly after?: string;
}

export const presences = ["online", "silent", "offline"] as const;
export type Presence = typeof presences[number];

/** Devices in the order of their ids. */
export interface DeviceQuery extends PageQuery {
  readonly presence?: Presence;
  readonly idPrefix?: string;
  /** Only ids that have it somewhere, in upper or lower case. */
  readonly idPart?: string;
  /** Only those that are. */
  readonly quarantined?: true;
}

export const releases = ["released", "not_quarantined", "unknown"] as const;
/** What became of a device that was to have another chance. */
export type Release = typeof releases[number];

/** A device as it is remembered. */
export interface DeviceView {
  readonly id: string;
  readonly shard: number;
  readonly presence: Presence;
  /** Wall time, ms since the epoch. */
  readonly lastSeenMs: number;
  readonly values: Readonly<Record<string, number | string | boolean>>;
  /** What became of its readings, for example `stored`, `duplicate`, `dead_lettered`, `refused`. */
  readonly counters: Readonly<Record<string, number>>;
  /** There while the device is over its rate: how long its next message has to wait. */
  readonly limitedForMs?: number;
  /** There while its readings are dead letters, since its code crashed again and again. */
  readonly quarantined?: true;
  readonly lastError?: { readonly reason: string; readonly detail: string; readonly atMs: number };
}

/** Shards speak types of the same program: what is looked at is which answer it is. */
export function isDevice(value: unknown): value is DeviceView {
  return typeof value === "object" && value !== null && "id" in value &&
    typeof value.id === "string" && "values" in value && typeof value.values === "object" &&
    value.values !== null;
}

/** A stored value, or an aggregate of several. */
export interface StoredPoint {
  /** RFC 3339 with ns. */
  readonly time: string;
  readonly device: string;
  readonly metric: string;
  readonly value: number | string | boolean | null;
}

export type ReadingsAnswer =
  | { readonly kind: "page"; readonly page: Page<StoredPoint> }
  | { readonly kind: "invalid"; readonly problems: readonly InvalidParameter[] }
  /** The store is not the embedded one; `detail` says where the history is. */
  | { readonly kind: "elsewhere"; readonly detail: string }
  /** `damaged`: the file is, and another try does not help. */
  | { readonly kind: "failed"; readonly reason: string; readonly damaged: boolean };

/** A parameter that was refused, and what is allowed. */
export interface InvalidParameter {
  readonly parameter: string;
  readonly message: string;
}

/** `under` is the path of the actor to begin at; of each actor at most `childrenMax` are listed. */
export interface ActorQuery {
  readonly under?: string;
  readonly childrenMax: number;
}

export interface DeadLetterQuery extends PageQuery {
  readonly reason?: string;
  /** The newest first, of every reason, and no page after them. */
  readonly newestFirst?: boolean;
}

/** A reading that could not be stored. */
export interface DeadLetterView {
  readonly id: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  /** When the reading came in, ms since the epoch. */
  readonly arrivedMs: number;
  /** A stable word. */
  readonly reason: string;
  /** For people. */
  readonly detail: string;
  readonly transport: string;
}

/** All of them, those of one reason, or those of the given ids. */
export interface ReplayChoice {
  readonly reason?: string;
  readonly ids?: readonly string[];
}

/** How many were taken again, thousands at most; the rest stays, and is for another call. */
export interface ReplayResult {
  readonly replayed: number;
  readonly remaining: number;
}
