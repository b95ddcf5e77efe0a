/**
 * InfluxDB 1, 2, 3 and VictoriaMetrics as the store of a shard's writer: line protocol over HTTP
 * through `@influxdata/influxdb-client`'s transport. Retry, splitting and bisecting are the
 * writer's; this file makes one request and says what its answer means.
 *
 * @module
 */
import { promisify } from "node:util";
import { constants, gzip as gzipCallback } from "node:zlib";
import { type Headers, HttpError, InfluxDB } from "@influxdata/influxdb-client";
import { concatBytes } from "../../actors/concat_bytes.ts";
import type { PointBatch, Sink, SinkResult } from "../../actors/sink.ts";
import type { Clock } from "../../runtime/clock.ts";
import { systemClock } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/message_of.ts";
import { beginningOf } from "./beginning_of.ts";
import type { InfluxOptions, InfluxTarget, WriteApi } from "./influx_target.ts";
import { influxTarget } from "./influx_target.ts";
import { StoreWatch } from "./store_watch.ts";
import type { WriteAnswer } from "./write_answer.ts";
import { isMissingApi, resultOf } from "./write_answer.ts";

const gzip = promisify(gzipCallback);
const defaultTimeoutMs = 10_000;
/** With `accept: text/plain` the library reads every body to its end, and never as JSON. */
const plainHeaders = { "accept": "text/plain" };
const gzipHeaders = { ...plainHeaders, "content-encoding": "gzip" };

/**
 * A {@linkcode Sink} that writes to InfluxDB or VictoriaMetrics. Which write API the store has is
 * found out by the first request that reaches it: v2, or v1 where v2 is missing.
 *
 * @example
 * ```ts
 * import { InfluxSink } from "./influx_sink.ts";
 * import assert from "node:assert/strict";
 *
 * const sink = new InfluxSink({ url: "http://me:secret@127.0.0.1:8428", bucket: "iot" });
 * assert.equal(sink.name, "http://127.0.0.1:8428");
 * await sink.close();
 * ```
 */
export class InfluxSink implements Sink {
  readonly name: string;
  readonly #target: InfluxTarget;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #client = Deno.createHttpClient({});
  readonly #influx: InfluxDB;
  #api: WriteApi = "v2";
  #watch: StoreWatch | undefined;

  /** Throws a `TypeError` when the options make no sense; connects to nothing yet. */
  constructor(options: InfluxOptions, clock: Clock = systemClock) {
    this.#target = influxTarget(options);
    this.name = this.#target.baseUrl;
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#clock = clock;
    this.#influx = new InfluxDB({
      url: this.#target.baseUrl,
      headers: { "content-type": "text/plain; charset=utf-8" },
      transportOptions: { client: this.#client },
    });
    boundAnswers(this.#influx.transport);
  }

  /** One request with all lines of the batches, in their order. */
  async write(batches: readonly PointBatch[], signal: AbortSignal): Promise<SinkResult> {
    const [first] = batches;
    const lines = first !== undefined && batches.length === 1
      ? first.lines
      : concatBytes(batches.map(({ lines }) => lines));
    const body = this.#target.gzip ? await gzip(lines, { level: constants.Z_BEST_SPEED }) : lines;
    return this.#send(body, signal);
  }

  /** An empty write: it passes the same door, credentials and bucket as a real one. */
  async probe(signal: AbortSignal): Promise<{ readonly ok: boolean; readonly reason?: string }> {
    const result = await this.#send(new Uint8Array(0), signal);
    // 400: the store understood, let us in, and found nothing to write (InfluxDB 2).
    return result.kind === "stored" || result.kind === "rejected"
      ? { ok: true }
      : { ok: false, reason: result.reason };
  }

  /** Sees restarts of the store between two writes; see {@linkcode StoreWatch}. */
  watch(lost: () => void): void {
    this.#watch?.close();
    this.#watch = new StoreWatch(this.#target, this.#clock, lost);
  }

  close(): Promise<void> {
    this.#watch?.close();
    this.#watch = undefined;
    this.#client.close();
    return Promise.resolve();
  }

  async #send(body: Uint8Array, signal: AbortSignal): Promise<SinkResult> {
    const request = new AbortController();
    const callOff = () => request.abort();
    signal.addEventListener("abort", callOff);
    const timer = this.#clock.setTimer(this.#timeoutMs, callOff);
    try {
      if (signal.aborted) callOff();
      return resultOf(await this.#postToEither(body, request.signal), this.#clock.now());
    } catch (cause) {
      const reason = signal.aborted
        ? "the write was called off"
        : request.signal.aborted
        ? `no answer within ${this.#timeoutMs} ms`
        : networkReason(cause);
      return { kind: "retry", reason };
    } finally {
      timer.clear();
      signal.removeEventListener("abort", callOff);
    }
  }

  async #postToEither(body: Uint8Array, signal: AbortSignal): Promise<WriteAnswer> {
    const answer = await this.#post(this.#api, body, signal);
    if (!isMissingApi(answer)) return answer;
    const other = this.#api === "v2" ? "v1" : "v2";
    const second = await this.#post(other, body, signal);
    if (isMissingApi(second)) return answer;
    this.#api = other;
    return second;
  }

  async #post(api: WriteApi, body: Uint8Array, signal: AbortSignal): Promise<WriteAnswer> {
    // The library stringifies its body parameter; `fetch` options given here go through as they
    // are and win, so the bytes are sent without a detour over a string.
    const authorization = this.#target.authorization[api];
    const options = {
      method: "POST",
      headers: {
        ...(this.#target.gzip ? gzipHeaders : plainHeaders),
        ...(authorization === undefined ? {} : { authorization }),
      },
      signal,
      body,
      // Followed, a POST becomes a GET without a body, and its 2xx would pass for a yes.
      redirect: "manual",
    };
    let status = 0;
    try {
      const started = (_headers: Headers, code?: number) => status = code ?? 0;
      const text: unknown = await this.#influx.transport.request(
        this.#target.writePath[api],
        "",
        options,
        started,
      );
      return { status, body: typeof text === "string" ? text : "", retryAfter: undefined };
    } catch (cause) {
      if (!(cause instanceof HttpError)) throw cause;
      return {
        status: cause.statusCode,
        body: cause.body ?? "",
        retryAfter: headerOf(cause, "retry-after"),
        location: headerOf(cause, "location"),
      };
    }
  }
}

/** The library reads an answer to its end, however long it is, and has no option for less. */
function boundAnswers(transport: InfluxDB["transport"]): void {
  const send: unknown = Reflect.get(transport, "fetch");
  if (typeof send !== "function") throw new TypeError("the library's transport has no fetch");
  Reflect.set(transport, "fetch", async (...request: unknown[]) => {
    const answer: unknown = await Reflect.apply(send, transport, request);
    if (answer instanceof Response) answer.text = () => beginningOf(answer);
    return answer;
  });
}

function headerOf({ headers }: HttpError, name: string): string | undefined {
  const value = headers?.[name];
  return Array.isArray(value) ? value[0] : value;
}

/** What happened, from the end of the chain of causes, without the address: that is the name. */
function networkReason(cause: unknown): string {
  let innermost = cause;
  while (innermost instanceof Error && innermost.cause instanceof Error) {
    innermost = innermost.cause;
  }
  const message = messageOf(innermost);
  return message.replace(/^error sending request for url \([^)]*\): /, "")
    .replace(/^client error \(Connect\): (tcp connect error: )?/, "no connection: ");
}
