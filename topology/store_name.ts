/**
 * What people and callers of the API are told of the store: where it is, never its credentials.
 *
 * @module
 */
import { maskUrl } from "../config/mask.ts";
import type { Config } from "../config.ts";

/** Which store it is, for the first lines on stdout and `GET /api/status`. */
export function storeName({ dataDir, influx }: Config): string {
  return influx.url === undefined
    ? `embedded, ${dataDir}/store.db`
    : `${maskUrl(influx.url)}, bucket ${influx.bucket}`;
}

/** Why this service does not answer what the store at `url` knows. */
export const elsewhereDetail = (url: string): string =>
  `this service writes to ${maskUrl(url)}: ask there, with the store's own query language`;
