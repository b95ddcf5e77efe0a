/**
 * HTTP in a shard: it answers the data plane itself, so that a reading never comes near the main
 * thread, and passes everything else on to it.
 *
 * @module
 */
import { dataPlane } from "../gateways/http/data_plane.ts";
import { forwarder } from "../gateways/http/forward/forwarder.ts";
import { type HttpServer, serveHttp } from "../gateways/http/server.ts";
import { logger } from "../gateways/log/log.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Link } from "../runtime/remote_link.ts";
import type { ShardInit } from "./shard_protocol.ts";

const log = logger("http");
const clock = systemClock;

export interface ShardHttpOptions {
  readonly init: ShardInit;
  /** To the main thread. */
  readonly host: Link;
}

/** Of the time that a shard has to close, what requests under way may take. */
const closeShare = 0.5;
/** How long a body of the control plane may take to come. */
const controlBodyMs = 10_000;

/** See the module. */
export class ShardHttp {
  readonly #options: ShardHttpOptions;
  #server: HttpServer | undefined;

  constructor(options: ShardHttpOptions) {
    this.#options = options;
  }

  /** Starts to listen, when HTTP is on. */
  open(): void {
    const { init, host } = this.#options;
    if (init.http === undefined || this.#server !== undefined) return;
    const forward = forwarder(host, { deadlineMs: controlBodyMs, clock });
    this.#server = serveHttp(init.http, dataPlane({ forward, log }), true);
  }

  /** Answers what is under way, and no more. */
  async close(): Promise<void> {
    const { closeMs } = this.#options.init.config.shutdown;
    await this.#server?.close(closeMs * closeShare);
  }
}
