/**
 * Where `GET /api/readings` is answered: by the embedded store's Worker, or, with a store of its
 * own, by that store's query language.
 *
 * @module
 */
import type { Config } from "../config.ts";
import type { ReadingsAnswer } from "../gateways/http/control.ts";
import { logger } from "../gateways/log/log.ts";
import { askHistory } from "../gateways/store/history_service.ts";
import { AskError } from "../runtime/ask.ts";
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
  return {
    readings: () => Promise.resolve(answer),
    notReady: () => [],
    counters: () => ({}),
    view: undefined,
  };
}

const log = logger("history");

class EmbeddedHistory implements HistoryStore {
  readonly #store: StoreWorker;
  #damaged = 0;
  #unavailable = 0;

  constructor(store: StoreWorker) {
    this.#store = store;
  }

  async readings(parameters: ReadonlyMap<string, string>): Promise<ReadingsAnswer> {
    const answer = await this.#ask(parameters);
    if (answer.kind !== "failed") return answer;
    const { reason } = answer;
    if (!answer.damaged) {
      this.#unavailable++;
      log.warn("a question to the history failed", { reason });
    } else if (this.#damaged++ === 0) { // It stays so until a person does something about it.
      log.error("the embedded store is damaged; what comes in goes on to it where it can", {
        reason,
      });
    }
    return answer;
  }

  async #ask(parameters: ReadonlyMap<string, string>): Promise<ReadingsAnswer> {
    const link = this.#store.link();
    if (link === undefined) {
      const reason = "the history of the embedded store is being restarted";
      return { kind: "failed", reason, damaged: false };
    }
    try {
      return await askHistory(link, parameters);
    } catch (cause) {
      if (!(cause instanceof AskError)) throw cause;
      return { kind: "failed", reason: cause.message, damaged: false };
    }
  }

  counters(): Record<string, number> {
    return {
      'sluice_history_failed_total{why="damaged"}': this.#damaged,
      'sluice_history_failed_total{why="unavailable"}': this.#unavailable,
    };
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
