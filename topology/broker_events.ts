/**
 * What the log is told of a broker connection. A broker that stays away is tried every second; the
 * log hears of it once, whenever the reason changes, and once a minute.
 *
 * @module
 */
import type { BrokerEvents } from "../gateways/mqtt/broker/broker_gateway.ts";
import type { Log } from "../gateways/log/log.ts";
import type { Clock } from "../runtime/clock.ts";

const remindMs = 60_000;

/** What {@linkcode brokerEvents} needs. */
export interface BrokerEventParts {
  readonly log: Pick<Log, "info" | "warn" | "error">;
  readonly clock: Pick<Clock, "monotonic">;
  /** Counts a message that came back. */
  readonly looped: () => void;
}

/** The events of the connection to `broker`, a URL without credentials. */
export function brokerEvents(
  broker: string,
  { log, clock, looped }: BrokerEventParts,
): BrokerEvents {
  let told: { readonly reason: string; readonly ms: number } | undefined;
  let tries = 0;
  return {
    looped,
    connected: (sessionPresent) => {
      told = undefined;
      tries = 0;
      log.info("connected", { broker, sessionPresent });
    },
    disconnected: (reason) => log.warn("disconnected; connecting again", { broker, reason }),
    failed: (reason) => {
      tries++;
      const ms = clock.monotonic();
      if (told?.reason === reason && ms - told.ms < remindMs) return;
      told = { reason, ms };
      log.warn("no connection; trying again every second", { broker, reason, tries });
    },
    refused: (filter, code) =>
      log.error("the broker refused a subscription", { broker, filter, code }),
  };
}
