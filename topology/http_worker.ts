/**
 * Entry of the Worker that serves HTTP.
 *
 * @module
 */
import { serveWorker } from "../runtime/worker_serve.ts";
import { HttpEdge } from "./http_edge.ts";

declare const self: DedicatedWorkerGlobalScope;

serveWorker((boot) => HttpEdge.start(boot), self);
