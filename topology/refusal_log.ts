/**
 * What the log says of messages that become no reading: each topic once, as far as there is room to
 * remember it, and in the log of the data flow every one.
 *
 * @module
 */
import type { Offer } from "../actors/intake.ts";
import type { IntakeHubOptions } from "../actors/intake_hub.ts";
import { logger } from "../gateways/log/log.ts";
import type { DataFlowTap } from "./data_flow_tap.ts";

const log = logger("readings");
const utf8 = new TextDecoder();

const topicOf = ({ bytes, topicStart, topicEnd }: Offer): string =>
  utf8.decode(bytes.subarray(topicStart, topicEnd));

/** `tap`: the log of the data flow, when that is on. */
export function refusalLog(
  tap: DataFlowTap | undefined,
): NonNullable<IntakeHubOptions["onRefused"]> {
  return (offer, reason, isNew) => {
    if (tap === undefined && !isNew) return;
    const topic = topicOf(offer);
    if (isNew) log.info("messages of a topic are not stored", { topic, reason });
    tap?.nothing(topic);
  };
}
