/**
 * `POST /api/readings`: 204 once every item is settled, 400 naming those that were not taken, 429
 * under backpressure.
 *
 * @module
 */
import { hashText } from "../../../actors/fingerprint.ts";
import type { Intake } from "../../../actors/intake.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { boundedBody, type ByteBudget } from "../body.ts";
import { Problem, rateLimited } from "../problem.ts";
import { invalidParameter, parametersOf } from "../request.ts";
import { bodyFormat, itemsOf } from "./items.ts";
import { topicProblem } from "./json_item.ts";
import { isPrecision, type Precision, precisions } from "./line_item.ts";
import { Submission, type SubmissionOptions } from "./submission.ts";
import { unpack } from "./unpack.ts";

export interface PostReadingsParts {
  readonly intake: Intake;
  readonly clock: Clock;
  readonly budget: ByteBudget;
  /** Largest body, as it comes and unpacked. */
  readonly bodyBytesMax: number;
  /** How long a body may take to come. */
  readonly bodyMs: number;
  /** How long a request waits for credit, and for what was taken to be durable. */
  readonly creditMs: number;
  readonly settleMs: number;
  /** Who sends, by the tokens in the readings too. Rejects when that is to be shown and is not. */
  readonly senderOf: (tokens: ReadonlySet<string>) => Promise<Senders>;
  /** Whether the spool of some shard takes nothing now. */
  readonly stalled: () => boolean;
}

/** What is known of who sends. */
export type Senders = Pick<SubmissionOptions, "permits" | "sender">;

const soon = { "retry-after": "1" };

/** @throws {Problem} for all but 204. */
export async function postReadings(request: Request, parts: PostReadingsParts): Promise<Response> {
  const { budget, bodyBytesMax, bodyMs, clock } = parts;
  const parameters = parametersOf(request.url, ["topic", "precision"]);
  const topic = topicOf(parameters.get("topic") ?? request.headers.get("sluice-topic"));
  const precision = precisionOf(parameters.get("precision"));
  const format = bodyFormat(request.headers.get("content-type"));
  if (format === "line" && topic !== undefined) {
    throw invalidParameter("topic", "line protocol says itself which series a line belongs to");
  }
  // No token can be in these, so one who has to show it need not send the body.
  const known = format === "line" || topic !== undefined
    ? await parts.senderOf(new Set())
    : undefined;
  const nameHash = nameHashOf(request.headers.get("idempotency-key"));
  const encoding = request.headers.get("content-encoding");
  const limits = { bytesMax: bodyBytesMax, deadlineMs: bodyMs, clock, budget };
  const packed = await boundedBody(request, limits);
  let held = packed.length;
  try {
    if (encoding !== null) {
      // Its size is not known before: room for the largest is taken.
      if (!budget.take(bodyBytesMax)) {
        throw new Problem("unavailable", "too many requests with a body at once", {}, soon);
      }
      held += bodyBytesMax;
    }
    const body = unpack(packed, encoding, bodyBytesMax);
    const items = itemsOf(body, format, {
      precision,
      ...(topic === undefined ? {} : { topic }),
    });
    const tokens = items.map(({ token }) => token).filter((token) => token !== undefined);
    const who = known ?? await parts.senderOf(new Set(tokens));
    const { creditMs, settleMs, intake, stalled } = parts;
    const submission = new Submission(intake, {
      clock,
      creditMs,
      settleMs,
      nameHash,
      stalled,
      ...who,
    });
    return answer(items.length, await submission.submit(items));
  } finally {
    budget.give(held);
  }
}

function answer(
  count: number,
  { rejected, taken, limitedMs, settled }: Awaited<ReturnType<Submission["submit"]>>,
): Response {
  if (!settled) {
    throw new Problem(
      "not-settled",
      "it is not known whether all are durable; send the same request again",
      { rejected },
      soon,
    );
  }
  if (taken < count) {
    const detail = taken === 0
      ? "none was taken"
      : `items from ${taken} on were not taken; send them again`;
    const members = { taken, rejected };
    if (limitedMs > 0) throw rateLimited(limitedMs, detail, members);
    throw new Problem("backpressure", detail, members, soon);
  }
  if (rejected.length > 0) {
    throw new Problem("rejected-items", `${rejected.length} of ${count} items were not taken`, {
      accepted: count - rejected.length,
      rejected,
    });
  }
  return new Response(null, { status: 204 });
}

function topicOf(topic: string | null): string | undefined {
  if (topic === null) return undefined;
  const problem = topicProblem(topic);
  if (problem !== undefined) throw invalidParameter("topic", problem);
  return topic;
}

function precisionOf(text = "ns"): Precision {
  if (isPrecision(text)) return text;
  throw invalidParameter("precision", `must be one of ${Object.keys(precisions).join(", ")}`);
}

/** 0 when there is no key. */
export function nameHashOf(key: string | null): number {
  if (key === null) return 0;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new Problem(
      "invalid-header",
      "Idempotency-Key must be 1 to 255 visible characters of ASCII",
    );
  }
  return hashText(key) || 1;
}
