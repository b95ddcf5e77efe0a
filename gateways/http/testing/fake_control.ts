/**
 * A control without shards, for tests of the HTTP edge.
 *
 * @module
 */
import type { ShardSnapshot } from "../../../actors/snapshot.ts";
import type { ActorView } from "../../../runtime/inspect.ts";
import type {
  Control,
  DeadLetterView,
  DeviceView,
  Page,
  PageQuery,
  ServiceInfo,
} from "../control.ts";

export const service: ServiceInfo = {
  version: "1.2.3",
  gateway: "gw",
  startedMs: Date.UTC(2026, 0, 2),
  store: "embedded store",
  endpoints: ["mqtt://0.0.0.0:1884", "ws://0.0.0.0:8080/ws"],
  accountsRequired: false,
};

/** Books that balance: 100 = 80 + 2 + 4 + 1 + 6 + 7. */
export function shardSnapshot(shard: number): ShardSnapshot {
  const seconds = { bounds: [0.001, 0.01, 0.1], counts: [10, 30, 50, 3], sum: 4.5 };
  return {
    shard,
    received: { mqtt: 100 },
    settled: {
      stored: 80,
      duplicate: 2,
      deadLettered: { not_json: 3, timestamp: 1 },
      refused: { no_route: 1 },
    },
    inFlight: 6,
    spoolReadings: 7,
    spoolBytes: 4_096,
    settleSeconds: seconds,
    storeSeconds: seconds,
    sessions: { mqtt: 7 },
    devices: { online: 3, silent: 1, offline: 0 },
    mailboxDepth: { device: 5, spool: 0 },
    restarts: { device: 1 },
    counters: { sluice_spool_torn_bytes_total: 12 },
    gauges: { sluice_replay_readings: 3 },
    notReady: [],
  };
}

export function deviceView(id: string): DeviceView {
  return {
    id,
    shard: 0,
    presence: "online",
    lastSeenMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    values: { temperature: 21.5 },
    counters: { stored: 10, duplicate: 1 },
  };
}

/** An actor that runs, but for `changes`. */
const actorView = (id: string, changes: Partial<ActorView>): ActorView => ({
  id,
  path: id,
  kind: "root",
  state: "running",
  mailboxDepth: 0,
  mailboxLimit: 1000,
  handled: 5,
  refused: 0,
  restarts: 0,
  childrenOmitted: 0,
  children: [],
  ...changes,
});

const actors = actorView("sluice", {
  children: [
    actorView("shard-0", {
      path: "sluice/shard-0",
      kind: "shard",
      restarts: 1,
      lastError: { name: "Error", message: "boom", atMs: Date.UTC(2026, 0, 2) },
    }),
  ],
});

const letters: readonly DeadLetterView[] = ["1", "2", "3"].map((id) => ({
  id,
  topic: "UPB/RPi_1",
  payload: new TextEncoder().encode("not json"),
  arrivedMs: Date.UTC(2026, 0, 2),
  reason: "not_json",
  detail: "the payload is not JSON",
  transport: "mqtt",
}));

/** The part of `all` that a query asks for. */
function pageOf<T extends { readonly id: string }>(all: readonly T[], query: PageQuery): Page<T> {
  const { after, limit } = query;
  const rest = after === undefined ? all : all.filter(({ id }) => id > after);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return rest.length > limit && last !== undefined ? { items, next: last.id } : { items };
}

/** Answers from constants; `changes` replaces single methods. */
export function fakeControl(changes: Partial<Control> = {}): Control {
  const devices: readonly DeviceView[] = [
    ...["a/b", "c"].map(deviceView),
    { ...deviceView("d e"), quarantined: true },
  ];
  return {
    service,
    snapshot: () => Promise.resolve([shardSnapshot(0), shardSnapshot(1)]),
    notReady: () => Promise.resolve([]),
    devices: ({ quarantined, ...query }) =>
      Promise.resolve(
        pageOf(devices.filter((device) => quarantined === undefined || device.quarantined), query),
      ),
    device: (id) => Promise.resolve(devices.find((device) => device.id === id)),
    release: (id) => {
      const device = devices.find((device) => device.id === id);
      if (device?.quarantined) return Promise.resolve("released");
      return Promise.resolve(device === undefined ? "unknown" : "not_quarantined");
    },
    readings: () => Promise.resolve({ kind: "page", page: { items: [] } }),
    actors: () => Promise.resolve(actors),
    deadLetters: (query) => Promise.resolve(pageOf(letters, query)),
    replayDeadLetters: () => Promise.resolve({ replayed: 2, remaining: 1 }),
    refusedTopics: () =>
      Promise.resolve({
        items: [
          { topic: "no/route/<b>", reason: "no_route", count: 3, lastMs: Date.UTC(2026, 0, 2) },
        ],
        forgotten: 4,
      }),
    ...changes,
  };
}
