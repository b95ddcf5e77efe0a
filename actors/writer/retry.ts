/**
 * What the writer does with the answer of a store: a function from answer to decision.
 *
 * @module
 */
import type { SinkResult } from "../sink.ts";
import type { RefusalWord } from "./delivery.ts";

export type Decision =
  | { readonly kind: "done" }
  /** The same again after `delayMs`. `reason` is why the store counts as away. */
  | { readonly kind: "wait"; readonly delayMs: number; readonly reason: string }
  /** Halve it, or give up its last line. */
  | { readonly kind: "narrow"; readonly word: RefusalWord; readonly detail: string };

const waitMinMs = 100;
const waitMaxMs = 5_000;
const misconfiguredMs = 15_000;
const retryAfterMaxMs = 300_000;
/** Share of a wait that is drawn, so that shards do not come back at once. */
const jitter = 0.5;

/** How long a store is left alone after it failed `failures` times before. */
export function retryDelayMs(failures: number, random: () => number): number {
  const grown = Math.min(waitMaxMs, waitMinMs * 2 ** Math.min(failures, 20));
  return grown * (1 - jitter * random());
}

/**
 * `failures` counts the answers before this one that were no yes; `random` gives [0, 1). A store's
 * own wish to wait is kept, never shortened, up to five minutes.
 *
 * @example
 * ```ts
 * import { decide } from "./retry.ts";
 * import assert from "node:assert/strict";
 *
 * const busy = { kind: "retry", reason: "429", retryAfterMs: 30_000 } as const;
 * assert.deepEqual(decide(busy, 0, Math.random), {
 *   kind: "wait",
 *   delayMs: 30_000,
 *   reason: "429",
 * });
 * ```
 */
export function decide(result: SinkResult, failures: number, random: () => number): Decision {
  switch (result.kind) {
    case "stored":
      return { kind: "done" };
    case "too_large":
      return { kind: "narrow", word: "store_too_large", detail: result.reason };
    case "rejected":
      return { kind: "narrow", word: "store_rejected", detail: result.reason };
    case "retry": {
      const asked = Math.min(result.retryAfterMs ?? 0, retryAfterMaxMs);
      const delayMs = Math.max(retryDelayMs(failures, random), asked);
      return { kind: "wait", delayMs, reason: result.reason };
    }
    case "misconfigured":
      return {
        kind: "wait",
        delayMs: misconfiguredMs * (1 - jitter * random()),
        reason: result.reason,
      };
    default:
      return result satisfies never;
  }
}
