/**
 * How fast the backlog of an outage is written beside the live readings: the store's time is
 * shared, so a replay takes the whole of an idle store, half of a busy one, and little of one that
 * falls behind.
 *
 * @module
 */

const busyShare = 0.5;
const behindShare = 0.2;
/** Live readings fill this much of their memory: they fall behind. */
const behindFill = 0.25;
const pauseMaxMs = 2_000;

/**
 * Pause after a replay write that took `tookMs`. `liveFill` is the share of the live lane's memory in
 * use; `liveWrites` says whether live readings were written meanwhile.
 */
export function replayPauseMs(tookMs: number, liveFill: number, liveWrites: boolean): number {
  if (!liveWrites && liveFill === 0) return 0;
  const share = liveFill >= behindFill ? behindShare : busyShare;
  return Math.min(pauseMaxMs, tookMs * (1 / share - 1));
}
