/**
 * How an MQTT 5 client is told that a reading was taken but not stored. Before MQTT 5 there is only
 * the plain acknowledgement.
 *
 * @module
 */
import type { Rejection } from "../../../actors/intake.ts";
import { reasonCodes } from "../codec/reason_code.ts";

/** A reason code that PUBACK and PUBREC may carry (MQTT 5, tables 3-4 and 3-5). */
export function rejectionCode({ reason }: Rejection): number {
  if (reason === "no_route") return reasonCodes.noMatchingSubscribers;
  if (reason.includes("topic")) return reasonCodes.topicNameInvalid;
  if (reason === "payload_too_large" || reason.includes("quota")) return reasonCodes.quotaExceeded;
  if (reason === "not_authorized") return reasonCodes.notAuthorized;
  if (reason.startsWith("store") || reason === "crashed") {
    return reasonCodes.implementationSpecificError;
  }
  return reasonCodes.payloadFormatInvalid;
}
