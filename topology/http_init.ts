/**
 * What the Worker that serves HTTP starts with.
 *
 * @module
 */
import type { Config } from "../config.ts";
import type { ListenAddress } from "../config/listen_address.ts";
import { isFields } from "../runtime/fields.ts";
import { type GuardInit, isGuardInit } from "./guard.ts";

/** See the module. */
export interface HttpInit {
  readonly shards: number;
  readonly config: Config;
  readonly gatewayId: string;
  readonly ledgerMemory: SharedArrayBuffer;
  /** Spools that take nothing now. */
  readonly stalls: SharedArrayBuffer;
  readonly guard: GuardInit;
  readonly http: ListenAddress | undefined;
  readonly httpTls: ListenAddress | undefined;
  /** By shard: where MQTT over WebSocket goes. */
  readonly sessionPaths: readonly string[] | undefined;
}

/** Structured clone made it, on our own orders: what is checked is that it is one at all. */
export function parseHttpInit(value: unknown): HttpInit {
  if (isHttpInit(value)) return value;
  throw new TypeError("Cannot start the HTTP edge: its orders have the wrong shape");
}

function isHttpInit(value: unknown): value is HttpInit {
  return isFields(value) && typeof value.shards === "number" && isFields(value.config) &&
    value.ledgerMemory instanceof SharedArrayBuffer &&
    value.stalls instanceof SharedArrayBuffer &&
    isGuardInit(value.guard);
}
