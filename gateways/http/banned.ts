/**
 * The answer to who is banned.
 *
 * @module
 */
import type { BanClient } from "../../actors/rates/ban.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Problem } from "./problem.ts";

/**
 * Until when somebody is banned, wall time in ms; 0: nobody is. `comes`: it is asking to be let in,
 * which is counted.
 */
export type BannedUntil = (client: BanClient, comes: boolean) => number;

/** @throws {Problem} `banned`, for who is and asks to be let in. */
export function refuseBanned(
  bannedUntilMs: BannedUntil,
  client: BanClient,
  clock: Pick<Clock, "now">,
): void {
  const untilMs = bannedUntilMs(client, true);
  if (untilMs === 0) return;
  const until = new Date(untilMs).toISOString();
  const afterS = Math.max(1, Math.ceil((untilMs - clock.now()) / 1_000));
  throw new Problem("banned", `banned until ${until}`, { until }, {
    "retry-after": String(afterS),
    "connection": "close",
  });
}
