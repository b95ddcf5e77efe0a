/**
 * What a shard answers itself: everything that carries readings. The rest belongs to the control
 * plane, which is the main thread's.
 *
 * @module
 */
import type { Log } from "../log/log.ts";
import type { HttpHandler } from "./app.ts";

export interface DataPlaneParts {
  /** Answers what is not the data plane's. */
  readonly forward: HttpHandler;
  readonly log: Log;
}

export function dataPlane({ forward }: DataPlaneParts): HttpHandler {
  return (request) => forward(request);
}
