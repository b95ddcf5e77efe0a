/**
 * What a store's HTTP answer to a write means. One pure function, so that InfluxDB 1, 2, 3 and
 * VictoriaMetrics differ in one table of tests and nowhere else.
 *
 * @module
 */
import type { SinkResult } from "../../actors/sink.ts";

/** The parts of an answer that decide. */
export interface WriteAnswer {
  readonly status: number;
  /** The body, or the `X-Influxdb-Error` header when there is none. */
  readonly body: string;
  /** The `Retry-After` header: seconds or an HTTP date [RFC 9110 section 10.2.3]. */
  readonly retryAfter: string | undefined;
  /** The `Location` header. */
  readonly location?: string | undefined;
}

/** What may help, by the status of an answer that no trying again changes. */
const advice: ReadonlyMap<number, string> = new Map([
  [401, "set influx.token, or name and password in influx.url, to what the store accepts"],
  [403, "the token of influx.token may not write to influx.bucket"],
  [404, "make it in the store, or set influx.bucket to one that is there"],
]);

const missingApiAdvice = "it has no such API; is influx.url the address of the store?";

const reasonCharsMax = 500;
const retryAfterMaxMs = 3_600_000;

/**
 * What InfluxDB 1, 2, 3 and VictoriaMetrics answer to a write they have taken. A page that a proxy
 * puts in their place, to log in or of a wrong address, comes with 200: nothing was stored.
 */
const yes = 204;

/** Decides by status, and by the words of the body where the status does not say enough. */
export function resultOf(answer: WriteAnswer, nowMs: number): SinkResult {
  const { status } = answer;
  if (status === yes) return { kind: "stored" };
  const reason = reasonOf(answer);
  if (status === 413) return { kind: "too_large", reason };
  if (status === 400 || status === 422) {
    // InfluxDB 1 and 2: "partial write: … dropped=1"; 3: "partial write of line protocol occurred".
    return { kind: "rejected", reason, partial: /\bpartial write\b/i.test(answer.body) };
  }
  if (isPartialYes(answer)) return { kind: "rejected", reason, partial: true };
  // InfluxDB 1 answers 500 to a retention policy that is not there.
  const missingPolicy = /retention policy not found/i.test(answer.body);
  if (status < 500 && !retriedStatuses.has(status) || missingPolicy) {
    const help = isMissingApi(answer) ? missingApiAdvice : advice.get(status);
    return { kind: "misconfigured", reason: help === undefined ? reason : `${reason} (${help})` };
  }
  const retryAfterMs = parseRetryAfter(answer.retryAfter, nowMs);
  return retryAfterMs === undefined
    ? { kind: "retry", reason }
    : { kind: "retry", reason, retryAfterMs };
}

/** InfluxDB Cloud Dedicated and Clustered answered so, before they said 400 as the others do. */
const isPartialYes = ({ status, body }: WriteAnswer): boolean =>
  status === 201 && messageIn(body) !== undefined;

/** Request Timeout, Too Early, Too Many Requests. */
const retriedStatuses = new Set([408, 425, 429]);

/**
 * Whether a 404 (405) says that there is no such API, rather than no such bucket: InfluxDB answers
 * the latter in JSON, and a server without the path in its own words.
 */
export function isMissingApi(answer: WriteAnswer): boolean {
  return (answer.status === 404 || answer.status === 405) && messageIn(answer.body) === undefined;
}

/** `Retry-After` in ms, at most an hour; `undefined` when absent or neither seconds nor a date. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? "";
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), retryAfterMaxMs);
}

function reasonOf(answer: WriteAnswer): string {
  const { status } = answer;
  const words = wordsOf(answer).replace(/\p{Cc}+/gu, " ").trim();
  const reason = words === "" ? `${status}` : `${status}: ${words}`;
  return reason.slice(0, reasonCharsMax);
}

function wordsOf(answer: WriteAnswer): string {
  const { status, body, location } = answer;
  if (status < 300 && !isPartialYes(answer)) {
    return `a store says yes with ${yes}; is influx.url its address? ${body}`;
  }
  if (status < 400 && location !== undefined) {
    const [address] = location.split("?"); // What follows may be a secret.
    return `writes are sent on to ${address}; set influx.url to where the store itself answers`;
  }
  return messageIn(body) ?? body;
}

/** InfluxDB 1 and 3 say `{"error": …}`, 2 says `{"code": …, "message": …}`. */
function messageIn(body: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined; // Not JSON: the caller takes the text as it is.
  }
  if (typeof value !== "object" || value === null) return undefined;
  if ("error" in value && typeof value.error === "string") {
    const detail = "data" in value ? ` ${JSON.stringify(value.data)}` : "";
    return value.error + detail;
  }
  return "message" in value && typeof value.message === "string" ? value.message : undefined;
}
