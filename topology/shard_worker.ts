/**
 * Entry of a shard's Worker.
 *
 * @module
 */
import { serveWorker } from "../runtime/worker_serve.ts";
import { Shard } from "./shard.ts";

declare const self: DedicatedWorkerGlobalScope;

serveWorker((boot) => Shard.start(boot), self);
