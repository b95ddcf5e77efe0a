/**
 * Why a station's connection was ended from here.
 *
 * @module
 */

/**
 * `code`: of WebSocket's own, and ours from 4000 on, after HTTP's. `flaps`: it is the station's own
 * doing, as when it closes.
 */
export const stationEnds = {
  goingAway: { code: 1001, flaps: false },
  unsupported: { code: 1003, flaps: true },
  tooLarge: { code: 1009, flaps: true },
  /** With the code of what was wrong: the connection is being closed already. */
  protocol: { code: 1002, flaps: true },
  failed: { code: 1011, flaps: false },
  badFrame: { code: 4400, flaps: true },
  unauthorized: { code: 4401, flaps: true },
  /** It is banned, be it before it was let in or after. */
  banned: { code: 4403, flaps: false },
  noCredit: { code: 4429, flaps: true },
  tryAgain: { code: 4503, flaps: false },
  /** As `unauthorized`, for what ends a connection that was let in. */
  tokenExpired: { code: 4401, flaps: false },
  accountChanged: { code: 4401, flaps: false },
} as const satisfies Record<string, { readonly code: number; readonly flaps: boolean }>;
export type StationEnd = keyof typeof stationEnds;

/** What a part of a station's connection does with it. */
export interface StationLine {
  /** Sends a frame, unless the connection has ended. */
  send(frame: Readonly<Record<string, unknown>>): void;
  /** Ends the connection, unless it has ended. */
  close(why: StationEnd, reason: string): void;
}
