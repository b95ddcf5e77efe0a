/**
 * How many restarts are too many: the rule of OTP's `supervisor.erl`, `add_restart`, as a pure
 * function.
 *
 * @module
 */

/** Monotonic times in ms of the restarts that still count, oldest first. */
export type RestartWindow = readonly number[];

/**
 * Adds a restart at `nowMs` and forgets those older than `periodMs` (one exactly that old counts
 * still, as in OTP). `exceeded` when more than `intensity` are left: do not restart.
 */
export function addRestart(
  window: RestartWindow,
  nowMs: number,
  intensity: number,
  periodMs: number,
): { readonly window: RestartWindow; readonly exceeded: boolean } {
  const left = [...window.filter((atMs) => atMs >= nowMs - periodMs), nowMs];
  return { window: left, exceeded: left.length > intensity };
}
