/**
 * In which order devices change, as a number that grows: about the time in µs, so that a place in
 * the order is still a place after a restart.
 *
 * @module
 */
import type { DevicePresence, PresenceTimeouts } from "./device_presence.ts";

const usPerMs = 1_000;

/** Numbers changes. One for all devices of a shard. */
export class ChangeCounter {
  #last = 0;

  /** The number of a change by a reading that arrived then. */
  next(arrivalMs: number): number {
    return this.#last = Math.max(this.#last + 1, Math.floor(arrivalMs * usPerMs));
  }

  /** All changes from now on have larger numbers than the one that is given. */
  reach(nowMs: number): number {
    return this.#last = Math.max(this.#last, Math.floor(nowMs * usPerMs));
  }
}

/** Devices that changed at one moment, as far as is known, are spread over so many µs. */
const spreadUs = 1_000_000;

/** 32-bit FNV-1a of a text's UTF-8. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

const encoder = new TextEncoder();

/**
 * The number of a device's last change: by a reading, or by the time that made it silent or
 * offline. `changeNo` is 0 when only the time of its last reading is known: then, and where time
 * made the change, it is up to a second late, and so different for most devices.
 */
export function lastChangeOf(
  id: string,
  changeNo: number,
  lastSeenMs: number,
  presence: DevicePresence,
  timeouts: PresenceTimeouts,
): number {
  const spread = () => fnv1a(id) % spreadUs;
  const reading = changeNo === 0 ? Math.floor(lastSeenMs * usPerMs) + spread() : changeNo;
  if (presence === "online" || lastSeenMs <= 0) return reading;
  const { silentAfterMs, offlineAfterMs } = timeouts;
  // By whichever made it what it is: a device can be offline at once.
  const quietMs = presence === "silent" ? silentAfterMs : offlineAfterMs;
  return Math.max(reading, Math.floor((lastSeenMs + quietMs) * usPerMs) + spread());
}
