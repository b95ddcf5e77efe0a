/**
 * Whether a device is there, judged by how long it has been quiet.
 *
 * @module
 */

/** How present a device is. */
export type DevicePresence = "online" | "silent" | "offline";

/** Both in ms since the last reading. */
export interface PresenceTimeouts {
  readonly silentAfterMs: number;
  readonly offlineAfterMs: number;
}

/** A device that was never seen is offline. Times are steady, in ms. */
export function presenceOf(
  lastSeenMs: number,
  nowMs: number,
  timeouts: PresenceTimeouts,
): DevicePresence {
  const quietMs = nowMs - lastSeenMs;
  if (lastSeenMs <= 0 || quietMs >= timeouts.offlineAfterMs) return "offline";
  return quietMs >= timeouts.silentAfterMs ? "silent" : "online";
}
