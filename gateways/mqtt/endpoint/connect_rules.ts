/**
 * What becomes of a CONNECT, as a pure decision.
 *
 * @module
 */
import type { Connack } from "../codec/connack.ts";
import type { Connect } from "../codec/connect.ts";
import type { Properties } from "../codec/property_table.ts";
import { connectReturnCode, reasonCodes } from "../codec/reason_code.ts";
import { noProperties } from "../codec/properties.ts";
import { isTopicName } from "../codec/text.ts";
import type { EndpointLimits } from "./endpoint_options.ts";

/** Longest client id that is kept; MQTT asks for 23 at least. */
export const clientIdCharsMax = 256;
/** Largest will: topic, payload and properties. Each connected client's is kept in memory. */
export const willBytesMax = 8 * 1024;
/** Topic aliases a client may set. */
export const topicAliasMaximum = 16;

export interface Refused {
  readonly kind: "refused";
  readonly reasonCode: number;
  readonly detail: string;
}

export interface Admitted {
  readonly kind: "admitted";
  readonly clientId: string;
  /** The client had no id: this one was made for it. */
  readonly assigned: boolean;
  /** Seconds, to be multiplied by 1.5, after which a silent client is given up [MQTT-3.1.2-22]. */
  readonly keepAliveS: number;
}

const utf8 = new TextEncoder();

/** `assignId` makes the id of a client that has none. */
export function decideConnect(
  connect: Connect,
  limits: EndpointLimits,
  assignId: () => string,
): Refused | Admitted {
  const { clientId, version, will, keepAliveS } = connect;
  const assigned = clientId === "";
  if (assigned && (version === 3 || (version === 4 && !connect.clean))) {
    return refused(
      reasonCodes.clientIdentifierNotValid,
      "an empty client id without clean session [MQTT-3.1.3-8]",
    );
  }
  if (clientId.length > clientIdCharsMax) {
    return refused(
      reasonCodes.clientIdentifierNotValid,
      `a client id of more than ${clientIdCharsMax} characters`,
    );
  }
  if (connect.properties.authenticationMethod !== undefined) {
    return refused(reasonCodes.badAuthenticationMethod, "enhanced authentication is not offered");
  }
  if (will !== undefined) {
    const topic = utf8.encode(will.topic);
    if (!isTopicName(topic, 0, topic.length)) {
      return refused(reasonCodes.topicNameInvalid, "a will whose topic is no topic name");
    }
    if (/[+#]/.test(will.properties.responseTopic ?? "")) {
      return refused(reasonCodes.protocolError, "a will whose response topic has a wildcard");
    }
    const willBytes = topic.length + will.payload.length + JSON.stringify(will.properties).length;
    if (willBytes > willBytesMax) {
      return refused(reasonCodes.quotaExceeded, `a will of more than ${willBytesMax} bytes`);
    }
  }
  return {
    kind: "admitted",
    clientId: assigned ? assignId() : clientId,
    assigned,
    keepAliveS: keepAliveS === 0
      ? limits.keepAliveMaxS
      : Math.min(keepAliveS, limits.keepAliveMaxS),
  };
}

/** How long the session outlives its connection, in s: what the client asks for, as far as may be. */
export function sessionExpiryS(
  { version, clean, properties }: Connect,
  { sessionExpiryMaxS }: EndpointLimits,
): number {
  // Before MQTT 5 a session that is not clean had no end [MQTT-3.1.2-4].
  if (version !== 5) return clean ? 0 : sessionExpiryMaxS;
  return Math.min(properties.sessionExpiryIntervalS ?? 0, sessionExpiryMaxS);
}

/** CONNACK for a client that was admitted. */
export function admission(
  connect: Connect,
  decision: Admitted,
  limits: EndpointLimits,
): Connack {
  return {
    kind: "connack",
    sessionPresent: false,
    reasonCode: reasonCodes.success,
    properties: connect.version === 5 ? terms(connect, decision, limits) : noProperties,
  };
}

/** CONNACK for a client that was not; `undefined` when its version has no code for the reason. */
export function refusal(version: 3 | 4 | 5, reasonCode: number): Connack | undefined {
  const code = version === 5 ? reasonCode : connectReturnCode(reasonCode);
  if (code === undefined) return undefined;
  return { kind: "connack", sessionPresent: false, reasonCode: code, properties: noProperties };
}

/** What an MQTT 5 client is held to where it differs from what it would assume. */
function terms(
  connect: Connect,
  { assigned, clientId, keepAliveS }: Admitted,
  limits: EndpointLimits,
): Properties {
  const expiryS = sessionExpiryS(connect, limits);
  const asked = connect.properties.sessionExpiryIntervalS ?? 0;
  return {
    ...(expiryS !== asked && { sessionExpiryIntervalS: expiryS }),
    receiveMaximum: limits.receiveMaximum,
    maximumPacketSize: limits.packetBytesMax,
    ...(assigned && { assignedClientIdentifier: clientId }),
    topicAliasMaximum,
    ...(keepAliveS !== connect.keepAliveS && { serverKeepAliveS: keepAliveS }),
  };
}

function refused(reasonCode: number, detail: string): Refused {
  return { kind: "refused", reasonCode, detail };
}
