/**
 * Reads the body of a request within bounds: of bytes, of time, and of what all bodies under way
 * may take together.
 *
 * @module
 */
import { concatBytes } from "../../actors/concat_bytes.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Problem } from "./problem.ts";

/** Bytes that may be held at once. */
export interface ByteBudget {
  /** False when there is no room. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export interface BodyLimits {
  /** A larger body is 413. */
  readonly bytesMax: number;
  /** A body that takes longer to come is 408. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** Without room in it the answer is 503; what the body took is its caller's to give back. */
  readonly budget?: ByteBudget;
}

/** Of a body that is not read to its end nobody knows where the next request begins. */
export const lastAnswer = { connection: "close" } as const;

/** A budget of `bytesMax`. */
export function byteBudget(bytesMax: number): ByteBudget & { readonly used: number } {
  let used = 0;
  return {
    get used() {
      return used;
    },
    take(bytes) {
      if (used + bytes > bytesMax) return false;
      used += bytes;
      return true;
    },
    give(bytes) {
      used -= bytes;
    },
  };
}

/**
 * The whole body.
 *
 * @throws {Problem} `body-too-large`, `body-too-slow`, `unavailable`, or `invalid-body` when it
 * ends early. The budget is then as before.
 */
export async function boundedBody(
  request: Request,
  { bytesMax, deadlineMs, clock, budget }: BodyLimits,
): Promise<Uint8Array> {
  const tooLarge = () =>
    new Problem("body-too-large", `the body may have ${bytesMax} bytes at most`);
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) throw tooLarge();
  if (request.body === null) return new Uint8Array(0);
  const reader = request.body.getReader();
  const late = Promise.withResolvers<never>();
  const timer = clock.setTimer(deadlineMs, () =>
    late.reject(
      new Problem("body-too-slow", `the body did not come within ${deadlineMs} ms`),
    ));
  const chunks: Uint8Array[] = [];
  let length = 0;
  let taken = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late.promise]);
      if (done) break;
      length += value.length;
      if (length > bytesMax) throw tooLarge();
      if (budget?.take(value.length) === false) {
        throw new Problem(
          "unavailable",
          "too many requests with a body at once",
          {},
          { "retry-after": "1" },
        );
      }
      taken += value.length;
      chunks.push(value);
    }
  } catch (cause) {
    budget?.give(taken);
    reader.cancel().catch(() => {});
    const problem = cause instanceof Problem
      ? cause
      : new Problem("invalid-body", "the body ended early");
    throw new Problem(problem.type, problem.message, problem.members, {
      ...problem.headers,
      ...lastAnswer,
    });
  } finally {
    timer.clear();
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : concatBytes(chunks);
}
