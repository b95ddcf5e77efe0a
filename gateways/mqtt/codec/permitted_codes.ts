/**
 * Which reason codes a packet may carry (MQTT 5, the tables of §3.4 to §3.7, §3.14 and §3.15).
 *
 * @module
 */
import { violation } from "./protocol_error.ts";
import { reasonCodes as codes, reasonName } from "./reason_code.ts";

type Checked = "puback" | "pubrec" | "pubrel" | "pubcomp" | "disconnect" | "auth";

const answers: ReadonlySet<number> = new Set([
  codes.success,
  codes.noMatchingSubscribers,
  codes.unspecifiedError,
  codes.implementationSpecificError,
  codes.notAuthorized,
  codes.topicNameInvalid,
  codes.packetIdentifierInUse,
  codes.quotaExceeded,
  codes.payloadFormatInvalid,
]);

const releases: ReadonlySet<number> = new Set([codes.success, codes.packetIdentifierNotFound]);

const farewells: ReadonlySet<number> = new Set([
  codes.success,
  codes.disconnectWithWill,
  codes.unspecifiedError,
  codes.malformedPacket,
  codes.protocolError,
  codes.implementationSpecificError,
  codes.notAuthorized,
  codes.serverBusy,
  codes.serverShuttingDown,
  codes.keepAliveTimeout,
  codes.sessionTakenOver,
  codes.topicFilterInvalid,
  codes.topicNameInvalid,
  codes.receiveMaximumExceeded,
  codes.topicAliasInvalid,
  codes.packetTooLarge,
  codes.messageRateTooHigh,
  codes.quotaExceeded,
  codes.administrativeAction,
  codes.payloadFormatInvalid,
  codes.retainNotSupported,
  codes.qosNotSupported,
  codes.useAnotherServer,
  codes.serverMoved,
  codes.sharedSubscriptionsNotSupported,
  codes.connectionRateExceeded,
  codes.maximumConnectTime,
  codes.subscriptionIdentifiersNotSupported,
  codes.wildcardSubscriptionsNotSupported,
]);

const permitted: Readonly<Record<Checked, ReadonlySet<number>>> = {
  puback: answers,
  pubrec: answers,
  pubrel: releases,
  pubcomp: releases,
  disconnect: farewells,
  auth: new Set([codes.success, codes.continueAuthentication, codes.reauthenticate]),
};

const clauses: Readonly<Record<Checked, string>> = {
  puback: "MQTT-3.4.2-1",
  pubrec: "MQTT-3.5.2-1",
  pubrel: "MQTT-3.6.2-1",
  pubcomp: "MQTT-3.7.2-1",
  disconnect: "MQTT-3.14.2-1",
  auth: "MQTT-3.15.2-1",
};

/** Refuses a reason code that this kind of packet does not have. */
export function checkReasonCode(kind: Checked, reasonCode: number): void {
  if (permitted[kind].has(reasonCode)) return;
  throw violation(`${kind.toUpperCase()} with ${reasonName(reasonCode)}`, clauses[kind]);
}
