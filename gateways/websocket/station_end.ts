/**
 * Why a station's connection was ended from here.
 *
 * @module
 */

/** Codes of WebSocket's own, and ours from 4000 on, after HTTP's. */
export const closeCodes = {
  goingAway: 1001,
  unsupported: 1003,
  tooLarge: 1009,
  /** With the code of what was wrong: the connection is being closed already. */
  protocol: 1002,
  failed: 1011,
  badFrame: 4400,
  unauthorized: 4401,
  /** It is banned, be it before it was let in or after. */
  banned: 4403,
  noCredit: 4429,
  tryAgain: 4503,
  /** As `unauthorized`, for what ends a connection that was let in. */
  tokenExpired: 4401,
  accountChanged: 4401,
} as const;
export type StationEnd = keyof typeof closeCodes;

/** What a part of a station's connection does with it. */
export interface StationLine {
  /** Sends a frame, unless the connection has ended. */
  send(frame: Readonly<Record<string, unknown>>): void;
  /** Ends the connection, unless it has ended. */
  close(why: StationEnd, reason: string): void;
}
