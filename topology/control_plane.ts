/**
 * The main thread's answers: asks every shard, and the store, and merges what they say. It holds no
 * reading and no state of a device.
 *
 * @module
 */
import { mergeRefusedTopics, type RefusedTopicList } from "../actors/refused_topics.ts";
import type { ShardSnapshot } from "../actors/snapshot.ts";
import { isDevice, releases } from "../gateways/http/control.ts";
import type {
  ActorQuery,
  Control,
  DeadLetterQuery,
  DeadLetterView,
  DeviceQuery,
  DeviceView,
  Page,
  ReadingsAnswer,
  Release,
  ReplayChoice,
  ReplayResult,
  ServiceInfo,
} from "../gateways/http/control.ts";
import { isFields } from "../runtime/fields.ts";
import type { ActorView } from "../runtime/inspect.ts";
import type { CodeSuspects } from "./code_suspects.ts";
import type { ShardBooks } from "./shard_books.ts";
import type { ShardQuestion } from "./shard_protocol.ts";

/** A shard as the main thread sees it. */
export interface ShardHandle {
  readonly shard: number;
  readonly books: ShardBooks;
  readonly suspects: Pick<CodeSuspects, "forgive">;
  /** `ready`, or what it is instead, for people. */
  readonly state: string;
  /** Rejects when no answer comes. */
  ask(question: ShardQuestion, deadlineMs?: number): Promise<unknown>;
  /** The shard's own node in the tree, for while it does not answer. */
  readonly view: ActorView;
}

/** Where history is asked. */
export interface HistoryStore {
  readings(parameters: ReadonlyMap<string, string>): Promise<ReadingsAnswer>;
  notReady(): readonly string[];
  /** By metric name. */
  counters(): Record<string, number>;
  /** Its Worker in the tree, if it has one. */
  readonly view: ActorView | undefined;
}

const snapshotDeadlineMs = 1_000;
const rootPath = "sluice";

/** A Worker, or the process, as a node of the tree: it has no mailbox of its own. */
export function workerNode(
  path: string,
  kind: string,
  state: ActorView["state"],
  restarts: number,
  children: readonly ActorView[] = [],
): ActorView {
  return {
    id: path,
    path,
    kind,
    state,
    mailboxDepth: 0,
    mailboxLimit: 0,
    handled: 0,
    refused: 0,
    restarts,
    children,
    childrenOmitted: 0,
  };
}

/** See the module. */
export class ControlPlane implements Control {
  readonly service: ServiceInfo;
  readonly #shards: readonly ShardHandle[];
  readonly #history: HistoryStore;
  /** Takes readings in over HTTP, and owns none. */
  readonly #edge: ShardHandle | undefined;
  /** Why nobody can be let in. */
  readonly #shut: () => string | undefined;

  constructor(
    service: ServiceInfo,
    shards: readonly ShardHandle[],
    history: HistoryStore,
    edge?: ShardHandle,
    shut: () => string | undefined = () => undefined,
  ) {
    this.#shut = shut;
    this.#edge = edge;
    this.service = service;
    this.#shards = shards;
    this.#history = history;
  }

  async snapshot(): Promise<readonly ShardSnapshot[]> {
    const taken = await Promise.all(
      this.#takers().map(async (handle) => {
        try {
          const answer = await handle.ask({ kind: "snapshot" }, snapshotDeadlineMs);
          return isSnapshot(answer) ? handle.books.take(answer) : handle.books.lastKnown;
        } catch {
          // A shard that is being restarted: what it last said, until it speaks again.
          return handle.books.lastKnown;
        }
      }),
    );
    return taken.filter((snapshot) => snapshot !== undefined);
  }

  async notReady(): Promise<readonly string[]> {
    const reasons = this.#shards.filter(({ state }) => state !== "ready").map(({ shard, state }) =>
      `shard ${shard} is ${state}; ${
        state === "failed" ? "the service ends" : "it comes back by itself"
      }`
    );
    if (reasons.length === 0) {
      for (const { notReady } of await this.snapshot()) reasons.push(...notReady);
    }
    reasons.push(...this.#history.notReady());
    const shut = this.#shut();
    if (shut !== undefined) reasons.push(shut);
    return [...new Set(reasons)];
  }

  async devices(query: DeviceQuery): Promise<Page<DeviceView>> {
    const pages = await Promise.all(
      this.#shards.map((handle) => handle.ask({ kind: "devices", query })),
    );
    const items = pages.flatMap((page) => isPage<DeviceView>(page) ? page.items : [])
      .sort((a, b) => a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
    const more = items.length > query.limit ||
      pages.some((page) => isPage(page) && page.next !== undefined);
    const shown = items.slice(0, query.limit);
    const last = shown.at(-1);
    return more && last !== undefined ? { items: shown, next: last.id } : { items: shown };
  }

  async device(id: string): Promise<DeviceView | undefined> {
    const found = await Promise.all(
      this.#shards.map((handle) => handle.ask({ kind: "device", id })),
    );
    return found.find(isDevice);
  }

  async release(id: string): Promise<Release> {
    const asked = this.#shards.map((handle) => handle.ask({ kind: "release", id }));
    const settled = await Promise.allSettled(asked);
    const answers = settled.map((one) => one.status === "fulfilled" ? one.value : undefined);
    const found = releases.find((one) => one !== "unknown" && answers.includes(one));
    if (found === "released") {
      // Or the next incarnation of a shard would be told not to run the device's code.
      for (const { suspects } of this.#shards) suspects.forgive(id);
    }
    // Who did not answer may know the device.
    if (found === undefined) await Promise.all(asked);
    return found ?? "unknown";
  }

  readings(parameters: ReadonlyMap<string, string>): Promise<ReadingsAnswer> {
    return this.#history.readings(parameters);
  }

  async actors(query: ActorQuery): Promise<ActorView | undefined> {
    const { under } = query;
    if (under !== undefined && under !== rootPath) {
      const handle = this.#shards.find(({ view }) =>
        under === view.path || under.startsWith(`${view.path}/`)
      );
      const answer = await handle?.ask({ kind: "actors", query });
      return isActor(answer) ? answer : undefined;
    }
    const { childrenMax } = query;
    const children = await Promise.all(this.#shards.map(async (handle) => {
      const answer = await handle.ask({ kind: "actors", query: { childrenMax } })
        .catch(() => undefined);
      return isActor(answer) ? answer : handle.view;
    }));
    if (this.#edge !== undefined) children.push({ ...this.#edge.view, kind: "edge" });
    if (this.#history.view !== undefined) children.push(this.#history.view);
    return workerNode(rootPath, "host", "running", 0, children);
  }

  /** Shard after shard; the cursor names the shard. The newest first: of all shards. */
  async deadLetters(query: DeadLetterQuery): Promise<Page<DeadLetterView>> {
    if (query.newestFirst) {
      const pages = await Promise.all(
        this.#shards.map(async (handle) => ({
          handle,
          page: await handle.ask({ kind: "dead_letters", query }),
        })),
      );
      const items = pages.flatMap(({ handle, page }) =>
        isPage<DeadLetterView>(page)
          ? page.items.map((letter) => ({ ...letter, id: `${handle.shard}.${letter.id}` }))
          : []
      );
      items.sort((a, b) => b.arrivedMs - a.arrivedMs);
      return { items: items.slice(0, query.limit) };
    }
    const { after, ...rest } = query;
    const [first, from] = after === undefined ? [0, undefined] : splitId(after);
    const items: DeadLetterView[] = [];
    for (const handle of this.#shards.slice(first)) {
      const start = handle.shard === first && from !== "" ? from : undefined;
      const page = await handle.ask({
        kind: "dead_letters",
        query: {
          ...rest,
          limit: query.limit - items.length,
          ...(start === undefined ? {} : { after: start }),
        },
      });
      if (!isPage<DeadLetterView>(page)) continue;
      items.push(
        ...page.items.map((letter) => ({ ...letter, id: `${handle.shard}.${letter.id}` })),
      );
      if (page.next !== undefined) return { items, next: `${handle.shard}.${page.next}` };
      if (items.length >= query.limit && handle.shard + 1 < this.#shards.length) {
        return { items, next: `${handle.shard + 1}.` };
      }
    }
    return { items };
  }

  async refusedTopics(): Promise<RefusedTopicList> {
    const lists = await Promise.all(
      this.#takers().map((handle) => handle.ask({ kind: "refused_topics" })),
    );
    return mergeRefusedTopics(lists.filter(isRefusedTopics));
  }

  async replayDeadLetters(choice: ReplayChoice): Promise<ReplayResult> {
    const results = await Promise.all(this.#shards.map((handle) => {
      const own = choice.ids?.map(splitId).filter(([shard]) => shard === handle.shard)
        .map(([, id]) => id);
      return handle.ask({
        kind: "replay_dead_letters",
        choice: own === undefined ? choice : { ...choice, ids: own },
      });
    }));
    let replayed = 0;
    let remaining = 0;
    for (const result of results) {
      if (!isFields(result)) continue;
      replayed += Number(result.replayed);
      remaining += Number(result.remaining);
    }
    return { replayed, remaining };
  }

  /** All that take readings in. */
  #takers(): readonly ShardHandle[] {
    return this.#edge === undefined ? this.#shards : [...this.#shards, this.#edge];
  }
}

/** `shard.id` in its parts. */
function splitId(id: string): [shard: number, id: string] {
  const dot = id.indexOf(".");
  return [Number(id.slice(0, dot)), id.slice(dot + 1)];
}

// The shards are our own and speak types of the same program: what is looked at is which it is.

function isSnapshot(value: unknown): value is ShardSnapshot {
  return isFields(value) && typeof value.shard === "number" && isFields(value.settled) &&
    isFields(value.received);
}

function isRefusedTopics(value: unknown): value is RefusedTopicList {
  return isPage(value) && "forgotten" in value && typeof value.forgotten === "number";
}

function isPage<T>(value: unknown): value is Page<T> {
  return isFields(value) && Array.isArray(value.items);
}

function isActor(value: unknown): value is ActorView {
  return isFields(value) && typeof value.path === "string" && Array.isArray(value.children);
}
