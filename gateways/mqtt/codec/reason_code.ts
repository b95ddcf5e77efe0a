/**
 * Reason codes of MQTT 5 (table 2-6) and the return codes of CONNACK in MQTT 3.
 *
 * @module
 */

/** 0x80 and above mean failure. Codes that share a value share their first name. */
export const reasonCodes = {
  /** Also: normal disconnection, granted QoS 0. */
  success: 0x00,
  grantedQos1: 0x01,
  grantedQos2: 0x02,
  disconnectWithWill: 0x04,
  noMatchingSubscribers: 0x10,
  noSubscriptionExisted: 0x11,
  continueAuthentication: 0x18,
  reauthenticate: 0x19,
  unspecifiedError: 0x80,
  malformedPacket: 0x81,
  protocolError: 0x82,
  implementationSpecificError: 0x83,
  unsupportedProtocolVersion: 0x84,
  clientIdentifierNotValid: 0x85,
  badUserNameOrPassword: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  serverBusy: 0x89,
  banned: 0x8a,
  serverShuttingDown: 0x8b,
  badAuthenticationMethod: 0x8c,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  packetIdentifierInUse: 0x91,
  packetIdentifierNotFound: 0x92,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  messageRateTooHigh: 0x96,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
  payloadFormatInvalid: 0x99,
  retainNotSupported: 0x9a,
  qosNotSupported: 0x9b,
  useAnotherServer: 0x9c,
  serverMoved: 0x9d,
  sharedSubscriptionsNotSupported: 0x9e,
  connectionRateExceeded: 0x9f,
  maximumConnectTime: 0xa0,
  subscriptionIdentifiersNotSupported: 0xa1,
  wildcardSubscriptionsNotSupported: 0xa2,
} as const;

export type ReasonName = keyof typeof reasonCodes;

const names = new Map<number, string>(
  Object.entries(reasonCodes).map(([name, code]) => [code, name]),
);

/** The name of a code, for logs; `0x..` for one that MQTT 5 does not define. */
export function reasonName(code: number): string {
  return names.get(code) ?? `0x${code.toString(16).padStart(2, "0")}`;
}

/** SUBACK's only failure in MQTT 3.1.1 [MQTT-3.9.3-2]. */
export const subackFailure = 0x80;

/**
 * The CONNACK return code of MQTT 3 that says most nearly what `reasonCode` says; `undefined` when
 * none does, and the connection is closed without a word [MQTT-3.2.2-6].
 */
export function connectReturnCode(reasonCode: number): number | undefined {
  switch (reasonCode) {
    case reasonCodes.success:
      return 0;
    case reasonCodes.unsupportedProtocolVersion:
      return 1;
    case reasonCodes.clientIdentifierNotValid:
      return 2;
    case reasonCodes.badUserNameOrPassword:
    case reasonCodes.badAuthenticationMethod:
      return 4;
    case reasonCodes.notAuthorized:
    case reasonCodes.banned:
      return 5;
    case reasonCodes.malformedPacket:
    case reasonCodes.protocolError:
    case reasonCodes.topicNameInvalid:
    case reasonCodes.packetTooLarge:
      return undefined;
    default:
      return 3;
  }
}
