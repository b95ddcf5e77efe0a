/**
 * Entry of the Worker that owns the embedded store's file.
 *
 * @module
 */
import { systemClock } from "../../runtime/clock.ts";
import { serveWorker } from "../../runtime/worker_serve.ts";
import { logger, startLog } from "../log/log.ts";
import { parseStoreInit } from "./store_init.ts";
import { StoreServer } from "./store_server.ts";

declare const self: DedicatedWorkerGlobalScope;

serveWorker(({ id, init, stage }) => {
  const { log, ...settings } = parseStoreInit(init);
  stage("the store is opened");
  const running = startLog({ ...log, fields: { worker: id } });
  const server = new StoreServer({
    ...settings,
    clock: systemClock,
    retentionFailed: (cause) =>
      logger("store").error("cannot delete old points; trying again", { cause }),
  });
  return {
    linked: (link) => server.serve(link),
    stop: () => {
      server.close();
      running.close();
    },
  };
}, self);
