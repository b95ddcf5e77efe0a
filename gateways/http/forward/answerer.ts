/**
 * The main thread's side of {@link ./protocol.ts}: answers what shards pass on.
 *
 * @module
 */
import type { ActorRef, TellResult } from "../../../runtime/actor.ts";
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { HttpHandler } from "../app.ts";
import { Problem, problemResponse } from "../problem.ts";
import {
  type ForwardAsk,
  type ForwardedHead,
  type ForwardedRequest,
  type ForwardReply,
  partBytes,
} from "./protocol.ts";

/** Requests answered at once, over all shards; further ones are told to come again. */
const underWayMax = 256;
/** Bytes of answers of which parts are still to be fetched. */
const keptBytesMax = 64 * 1024 * 1024;
/** A part that nobody fetched for so long is dropped: its client is gone. */
const fetchMs = 30_000;

interface Kept {
  readonly body: Uint8Array;
  at: number;
  timer: Timer;
}

/** See the module. */
export class Answerer implements ActorRef<ForwardAsk> {
  readonly path = "http";
  readonly #handle: HttpHandler;
  readonly #clock: Clock;
  readonly #kept = new Map<number, Kept>();
  #keptBytes = 0;
  #underWay = 0;
  #next = 1;

  constructor(handle: HttpHandler, clock: Clock) {
    this.#handle = handle;
    this.#clock = clock;
  }

  tell({ question, replyTo }: ForwardAsk): TellResult {
    if (question.kind === "part") {
      return replyTo.tell(this.#part(question.answer));
    }
    this.#answer(question.request).then((head) => replyTo.tell({ kind: "head", head }));
    return "accepted";
  }

  async #answer(request: ForwardedRequest): Promise<ForwardedHead> {
    if (this.#underWay >= underWayMax) return await this.#head(busy("too many requests at once"));
    this.#underWay++;
    try {
      return await this.#head(await this.#handle(requestOf(request), { peer: request.peer }));
    } catch {
      return await this.#head(problemResponse(new Problem("internal", "it cannot be passed on")));
    } finally {
      this.#underWay--;
    }
  }

  async #head(response: Response): Promise<ForwardedHead> {
    const body = new Uint8Array(await response.arrayBuffer());
    if (this.#keptBytes + body.length > keptBytesMax) {
      return await this.#head(busy("too many large answers at once"));
    }
    const { status } = response;
    const headers = [...response.headers];
    const first = body.subarray(0, partBytes);
    if (body.length <= partBytes) return { status, headers, body: first, answer: null };
    const answer = this.#next++;
    this.#keptBytes += body.length;
    this.#kept.set(answer, { body, at: partBytes, timer: this.#dropLater(answer) });
    return { status, headers, body: first, answer };
  }

  #part(answer: number): ForwardReply {
    const kept = this.#kept.get(answer);
    if (kept === undefined) return { kind: "part", body: null, last: true };
    kept.timer.clear();
    const body = kept.body.subarray(kept.at, kept.at + partBytes);
    kept.at += body.length;
    const last = kept.at >= kept.body.length;
    if (last) this.#drop(answer);
    else kept.timer = this.#dropLater(answer);
    return { kind: "part", body, last };
  }

  #dropLater(answer: number): Timer {
    return this.#clock.setTimer(fetchMs, () => this.#drop(answer));
  }

  #drop(answer: number): void {
    const kept = this.#kept.get(answer);
    if (kept === undefined) return;
    kept.timer.clear();
    this.#kept.delete(answer);
    this.#keptBytes -= kept.body.length;
  }
}

const busy = (why: string): Response =>
  problemResponse(new Problem("unavailable", why, {}, { "retry-after": "1" }));

function requestOf({ method, url, headers, body }: ForwardedRequest): Request {
  const made = new Headers();
  for (const [name, value] of headers) made.append(name, value);
  return new Request(url, {
    method,
    headers: made,
    // A body of GET means nothing (RFC 9110 §9.3.1), and a Request has none.
    ...(body.length === 0 || method === "GET" || method === "HEAD" ? {} : { body: body.slice() }),
  });
}
