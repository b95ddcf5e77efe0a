/**
 * One monotonic time for all Workers of a process: each has a clock of its own that begins with it,
 * and the wall clock may be set at any time.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/** Both clocks of one thread at one moment, to be given to another one. */
export interface TimeMark {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** A mark is given on within this time. */
const transitMsMax = 10_000;

export function markTime(clock: Clock): TimeMark {
  return { wallMs: clock.now(), monotonicMs: clock.monotonic() };
}

/**
 * The time of the thread that made the mark, in ms, as exact as the wall clock. To be called as the
 * mark arrives: only if the wall clock is set on the way are the two apart, by 10 s at most.
 */
export function sharedTime({ wallMs, monotonicMs }: TimeMark, clock: Clock): () => number {
  const transitMs = Math.min(transitMsMax, Math.max(0, clock.now() - wallMs));
  const offsetMs = monotonicMs + transitMs - clock.monotonic();
  return () => clock.monotonic() + offsetMs;
}
