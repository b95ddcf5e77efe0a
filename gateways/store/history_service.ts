/**
 * The history over a link: the question that the main thread asks for `GET /api/readings`, and the
 * end that answers it. It has a Worker of its own, so that a long query holds up neither writing
 * nor the rest of the API.
 *
 * @module
 */
import type { ActorRef, TellResult } from "../../runtime/actor.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import { isFields } from "../../runtime/fields.ts";
import { messageOf } from "../../runtime/message_of.ts";
import type { Link } from "../../runtime/remote_link.ts";
import { isRef } from "../../runtime/remote_ref.ts";
import { isDamage } from "../sqlite/result_code.ts";
import type { ReadingsAnswer, StoredValue } from "./readings_reader.ts";
import { ReadingsReader } from "./readings_reader.ts";
import { mends } from "./sqlite_result.ts";
import { openForReading } from "./store_database.ts";
import { clearImmediate, setImmediate } from "node:timers";

/** Under which the service is published. */
export const historyName = "history";

/** The parameters as they stand in the URL. */
export interface HistoryQuestion {
  readonly parameters: readonly (readonly [string, string])[];
  readonly replyTo: ActorRef<HistoryReply>;
}

/** There is no answer; `damaged`: another try has none either, until the file is another one. */
export interface HistoryFailure {
  readonly kind: "failed";
  readonly reason: string;
  readonly damaged: boolean;
}

type HistoryReply = ReadingsAnswer | HistoryFailure;

const deadlineMs = 10_000;
/** So much later an answer is sent again for which there was no room. */
const againMs = 10;

/** Answers questions from the file at `path`, which the store's Worker makes. */
export class HistoryService implements ActorRef<HistoryQuestion> {
  readonly path = historyName;
  readonly #file: string;
  readonly #clock: Clock;
  readonly #cacheBytes: number | undefined;
  #opened: { readonly reader: ReadingsReader; close(): void } | undefined;
  #next: ReturnType<typeof setImmediate> | undefined;
  /** Of an answer for which there was no room. */
  #again: Timer | undefined;

  /** `cacheBytes`: what SQLite may keep of the file in memory. */
  constructor(file: string, clock: Clock, cacheBytes?: number) {
    this.#file = file;
    this.#clock = clock;
    this.#cacheBytes = cacheBytes;
  }

  /**
   * One question in each turn of the event loop, the others wait at the link: each may take
   * seconds, and in between the host hears that this Worker lives.
   */
  tell({ parameters, replyTo }: HistoryQuestion): TellResult {
    if (this.#next !== undefined || this.#again !== undefined) return "full";
    this.#next = setImmediate(() => {
      this.#next = undefined;
      const giveUpMs = this.#clock.monotonic() + deadlineMs;
      this.#reply(replyTo, this.#answer(new Map(parameters)), giveUpMs);
    });
    return "accepted";
  }

  close(): void {
    clearImmediate(this.#next);
    this.#next = undefined;
    this.#again?.clear();
    this.#again = undefined;
    this.#closeFile();
  }

  /** Until `giveUpMs`, by when the one who asked has given up too. */
  #reply(replyTo: ActorRef<HistoryReply>, reply: HistoryReply, giveUpMs: number): void {
    if (send(replyTo, reply) !== "full" || this.#clock.monotonic() >= giveUpMs) return;
    this.#again = this.#clock.setTimer(againMs, () => {
      this.#again = undefined;
      this.#reply(replyTo, reply, giveUpMs);
    });
  }

  #closeFile(): void {
    this.#opened?.close();
    this.#opened = undefined;
  }

  #answer(parameters: ReadonlyMap<string, string>): HistoryReply {
    try {
      this.#opened ??= this.#open();
      return this.#opened.reader.read(parameters);
    } catch (cause) { // Goes to the one who asked; the next question opens the file anew.
      this.#closeFile();
      const message = messageOf(cause);
      const name = this.#file.slice(this.#file.lastIndexOf("/") + 1); // Not where it is: others read this.
      const reason = `Cannot read the embedded store ${name}: ${message}`;
      return isDamage(cause)
        ? { kind: "failed", reason: `${reason}. ${mends}`, damaged: true }
        : { kind: "failed", reason, damaged: false };
    }
  }

  #open() {
    const database = openForReading(this.#file, this.#cacheBytes);
    return {
      reader: new ReadingsReader(database, this.#clock),
      close: () => database.close(),
    };
  }
}

/** An answer that cannot be sent, for it is too large, is said to have failed. */
function send(replyTo: ActorRef<HistoryReply>, reply: HistoryReply): TellResult {
  try {
    return replyTo.tell(reply);
  } catch (cause) {
    const message = messageOf(cause);
    const reason = `Cannot send the answer: ${message}; ask for fewer readings with "limit"`;
    return replyTo.tell({ kind: "failed", reason, damaged: false });
  }
}

/** Asks the service at the other end. Rejects when no answer comes in time. */
export function askHistory(
  link: Pick<Link, "ask" | "ref">,
  parameters: ReadonlyMap<string, string>,
): Promise<HistoryReply> {
  return link.ask(
    link.ref(historyName),
    (replyTo) => ({ parameters: [...parameters], replyTo }),
    { deadlineMs, parse: parseReply },
  );
}

/** @throws {TypeError} when the question is none. */
export function parseQuestion(message: unknown): HistoryQuestion {
  if (isFields(message)) {
    const { parameters, replyTo } = message;
    if (Array.isArray(parameters) && parameters.every(isPair) && isRef(replyTo)) {
      return { parameters, replyTo };
    }
  }
  throw new TypeError("Cannot read the question to the history");
}

function parseReply(reply: unknown): HistoryReply {
  if (isFields(reply)) {
    const { kind, page, problems, reason, damaged } = reply;
    if (kind === "failed") return { kind, reason: String(reason), damaged: damaged === true };
    if (kind === "invalid" && Array.isArray(problems) && problems.every(isProblem)) {
      return { kind, problems };
    }
    if (kind === "page" && isFields(page)) {
      const { items, next } = page;
      if (Array.isArray(items) && items.every(isStoredValue)) {
        return { kind, page: typeof next === "string" ? { items, next } : { items } };
      }
    }
  }
  throw new TypeError("Cannot read the answer of the history");
}

function isPair(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 &&
    value.every((part) => typeof part === "string");
}

function isProblem(value: unknown): value is { parameter: string; message: string } {
  return isFields(value) && typeof value.parameter === "string" &&
    typeof value.message === "string";
}

function isStoredValue(item: unknown): item is StoredValue {
  if (!isFields(item)) return false;
  const { time, device, metric, value } = item;
  return typeof time === "string" && typeof device === "string" && typeof metric === "string" &&
    (value === null || ["number", "string", "boolean"].includes(typeof value));
}
