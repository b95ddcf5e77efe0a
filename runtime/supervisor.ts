/**
 * The decisions of a supervisor, as functions from state to decision: no actor, no timer, no
 * clock. The rules are OTP's (`supervisor.erl`); quarantine is Sluice's own.
 *
 * @module
 */
import type { RestartType, SupervisionSpec } from "./actor.ts";
import { checkBackoff } from "./backoff.ts";
import { addRestart, type RestartWindow } from "./restart_window.ts";

/** How a child ended by itself: it threw, or it stopped itself. */
export type ChildExit = "failed" | "completed";

export type SupervisorDecision =
  /** The child is not started again. */
  | { readonly kind: "remove" }
  /** The child, and those the strategy binds to it, are restarted. */
  | { readonly kind: "restart"; readonly window: RestartWindow }
  /** More restarts than the intensity allows. */
  | { readonly kind: "exceeded"; readonly then: SupervisionSpec["onExceeded"] };

/** OTP's rules with three restarts in 5 s: enough for a hiccup, too few for a loop. */
export const supervisionDefault: SupervisionSpec = {
  strategy: "one_for_one",
  intensity: 3,
  periodMs: 5_000,
  onExceeded: "escalate",
};

/** Checks a supervision spec; throws a `RangeError` that names the bad value. */
export function checkSupervision(spec: SupervisionSpec): void {
  if (!(Number.isInteger(spec.intensity) && spec.intensity >= 0)) {
    throw new RangeError(`Cannot supervise: intensity ${spec.intensity} is no count`);
  }
  if (!(spec.periodMs > 0)) {
    throw new RangeError(`Cannot supervise: periodMs ${spec.periodMs} is not above 0`);
  }
  if (spec.backoff !== undefined) checkBackoff(spec.backoff);
}

/**
 * What becomes of a child that ended. A permanent child is always started again, a transient one
 * only after a failure, a temporary one never; only a restart counts in the window.
 */
export function decide(
  spec: SupervisionSpec,
  restart: RestartType,
  exit: ChildExit,
  window: RestartWindow,
  nowMs: number,
): SupervisorDecision {
  if (restart === "temporary" || (restart === "transient" && exit === "completed")) {
    return { kind: "remove" };
  }
  const next = addRestart(window, nowMs, spec.intensity, spec.periodMs);
  return next.exceeded
    ? { kind: "exceeded", then: spec.onExceeded }
    : { kind: "restart", window: next.window };
}

/**
 * Whether restarts count for the supervisor as a whole, as in OTP, or for each child. Giving up on
 * one child must not depend on how its siblings fare, so only `escalate` sums them up.
 */
export function countsTogether(spec: SupervisionSpec): boolean {
  return spec.onExceeded === "escalate";
}

/**
 * The children that a restart of `failed` takes along, itself included, in start order.
 * `children` is in start order too.
 */
export function restartGroup<T>(
  strategy: SupervisionSpec["strategy"],
  children: Iterable<T>,
  failed: T,
): T[] {
  if (strategy === "one_for_one") return [failed];
  const all = [...children];
  return strategy === "one_for_all" ? all : all.slice(all.indexOf(failed));
}
