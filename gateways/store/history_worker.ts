/**
 * Entry of the Worker that reads the embedded store for `GET /api/readings`.
 *
 * @module
 */
import { systemClock } from "../../runtime/clock.ts";
import { serveWorker } from "../../runtime/worker_serve.ts";
import { historyName, HistoryService, parseQuestion } from "./history_service.ts";
import { parseStoreInit } from "./store_init.ts";

declare const self: DedicatedWorkerGlobalScope;

serveWorker(({ init, names, stage }) => {
  stage("the store is opened");
  const { path, cacheBytes } = parseStoreInit(init);
  const history = new HistoryService(path, systemClock, cacheBytes);
  names.publish(historyName, history, parseQuestion);
  return { stop: () => history.close() };
}, self);
