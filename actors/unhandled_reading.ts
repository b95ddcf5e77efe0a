/**
 * Readings that the runtime gives up, because the actor of their device crashed or takes none: they
 * become dead letters that say so.
 *
 * @module
 */
import type { DeadLetter } from "../runtime/dead_letters.ts";
import type { Outlet } from "./outlet.ts";
import { OwnedReading } from "./owned_batch.ts";

/** See the module. False: the message was no reading. */
export function unhandledReading(
  { message, reason, failure }: Pick<DeadLetter, "message" | "reason" | "failure">,
  outlet: Pick<Outlet, "dead">,
): boolean {
  if (!(message instanceof OwnedReading)) return false;
  outlet.dead(
    message,
    reason === "crashed" ? "actor_crashed" : `actor_${reason}`,
    failure === undefined
      ? `the device's actor is ${reason}`
      : `the device's actor failed: ${failure.name}: ${failure.message}`,
  );
  return true;
}
