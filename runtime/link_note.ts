/**
 * What the two ends of a link say to each other on the control lane, beside the mail of actors.
 *
 * @module
 */
import type { StopReason } from "./actor.ts";
import type { Target } from "./frames.ts";

/** Where notes go; actors have positive numbers or names. */
export const noteTargets = { post: -1, release: -2, watch: -3, unwatch: -4, ended: -5 } as const;

export type LinkNote =
  /** For the user of the other end. */
  | { readonly kind: "post"; readonly message: unknown }
  /** A ref that was sent so many times is held there no more. */
  | { readonly kind: "release"; readonly id: number; readonly times: number }
  | { readonly kind: "watch" | "unwatch"; readonly target: Target }
  /** One that is watched from here has ended there. */
  | { readonly kind: "ended"; readonly target: Target; readonly reason: StopReason };

export const isNoteTarget = (target: Target): boolean => typeof target === "number" && target < 0;

/** @throws {TypeError} when it is none. */
export function parseNote(to: Target, message: unknown): LinkNote {
  if (to === noteTargets.post) return { kind: "post", message };
  if (to === noteTargets.watch && isTarget(message)) return { kind: "watch", target: message };
  if (to === noteTargets.unwatch && isTarget(message)) return { kind: "unwatch", target: message };
  const [first, second]: readonly unknown[] = Array.isArray(message) ? message : [];
  if (to === noteTargets.release && typeof first === "number" && typeof second === "number") {
    return { kind: "release", id: first, times: second };
  }
  if (to === noteTargets.ended && isTarget(first) && isStopReason(second)) {
    return { kind: "ended", target: first, reason: second };
  }
  throw new TypeError(`Cannot read the note to ${to}: it is of no known kind`);
}

const isTarget = (value: unknown): value is Target =>
  typeof value === "number" || typeof value === "string";

const stopReasons: ReadonlySet<unknown> = new Set<StopReason>([
  "stopped",
  "completed",
  "passivated",
  "failed",
  "quarantined",
  "shutdown",
  "lost",
]);
const isStopReason = (value: unknown): value is StopReason => stopReasons.has(value);
