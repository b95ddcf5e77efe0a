/**
 * Where `GET /api/readings` is answered: by the embedded store's Worker, or, with a store of its
 * own, by that store's query language.
 *
 * @module
 */
import type { Config } from "../config.ts";
import type { ReadingsAnswer } from "../gateways/http/control.ts";
import { askHistory } from "../gateways/store/history_service.ts";
import type { Link } from "../runtime/remote_link.ts";
import type { WorkerView } from "../runtime/worker_host.ts";
import { historyId } from "../topology.ts";
import { type HistoryStore, workerNode } from "./control_plane.ts";
import { elsewhereDetail } from "./store_name.ts";

export interface StoreWorker {
  link(): Link | undefined;
  worker(): WorkerView | undefined;
}

/** The history of the store that is configured. */
export function historyOf(config: Config, store: StoreWorker): HistoryStore {
  return config.influx.url === undefined
    ? new EmbeddedHistory(store)
    : elsewhere(config.influx.url);
}

function elsewhere(url: string): HistoryStore {
  const answer: ReadingsAnswer = {
    kind: "elsewhere",
    detail: elsewhereDetail(url),
  };
  return { readings: () => Promise.resolve(answer), notReady: () => [], view: undefined };
}

class EmbeddedHistory implements HistoryStore {
  readonly #store: StoreWorker;

  constructor(store: StoreWorker) {
    this.#store = store;
  }

  readings(parameters: ReadonlyMap<string, string>): Promise<ReadingsAnswer> {
    const link = this.#store.link();
    if (link === undefined) {
      return Promise.reject(new Error("the history of the embedded store is being restarted"));
    }
    return askHistory(link, parameters);
  }

  notReady(): readonly string[] {
    const state = this.#store.worker()?.state;
    return state === "ready" ? [] : [`the history is ${state ?? "not started"}; it comes back`];
  }

  get view(): HistoryStore["view"] {
    const worker = this.#store.worker();
    const node = workerNode(
      historyId,
      "history",
      worker?.state === "ready" ? "running" : "waiting",
      worker?.restarts ?? 0,
    );
    return worker?.lastFailure === undefined ? node : { ...node, lastError: worker.lastFailure };
  }
}
