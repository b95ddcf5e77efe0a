/**
 * One reading of a request: its topic and its payload, as ranges of bytes.
 *
 * @module
 */

/** A reading as an edge offers it. */
export interface Item {
  /** "" when `problem` says why it has none. */
  readonly topic: string;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** The token that came in its payload, and is not in `bytes` any more. */
  readonly token?: string;
  /** Why it cannot be offered. */
  readonly problem?: { readonly reason: string; readonly detail: string };
}

/**
 * An item that cannot be offered. `detail` is asked for when the sender is told: of all items of one
 * who is not known that would be much work for nothing.
 */
export function badItem(
  bytes: Uint8Array,
  start: number,
  end: number,
  reason: string,
  detail: string | (() => string),
): Item {
  const problem = {
    reason,
    get detail() {
      return typeof detail === "string" ? detail : detail();
    },
  };
  return { topic: "", bytes, start, end, problem };
}
