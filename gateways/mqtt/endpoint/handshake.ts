/**
 * From CONNECT to CONNACK: the rules, then the authentication.
 *
 * @module
 */
import type { Connack } from "../codec/connack.ts";
import type { Connect } from "../codec/connect.ts";
import { reasonCodes, reasonName } from "../codec/reason_code.ts";
import type { Arrival } from "./arrival.ts";
import { admission, type Admitted, decideConnect, refusal } from "./connect_rules.ts";
import type { Authentication, EndpointServices, Granted, SessionInfo } from "./endpoint_options.ts";

/** A client that may connect. */
export interface Accepted {
  readonly kind: "connected";
  readonly connack: Connack;
  readonly session: SessionInfo;
  /** Silence after which the client is given up: 1.5 times its keep-alive [MQTT-3.1.2-22]. */
  readonly silenceMsMax: number;
}

/** How a handshake ended, with the answer to send. */
export type Handshake =
  | Accepted
  | {
    readonly kind: "refused";
    /** Absent when MQTT 3 has no code for it [MQTT-3.2.2-6]. */
    readonly connack: Connack | undefined;
    /** For the client, and for the log. */
    readonly reason: string;
    readonly detail: string;
  };

const unavailable: Authentication = { kind: "denied", reasonCode: reasonCodes.serverUnavailable };

const utf8 = new TextEncoder();
const randomId = (): string => `sluice-${crypto.randomUUID()}`;

/** A promise only when the authentication gives one; it never rejects. */
export function shakeHands(
  connect: Connect,
  arrival: Arrival,
  services: EndpointServices,
): Handshake | Promise<Handshake> {
  const { turnedAway } = arrival;
  if (turnedAway !== undefined) {
    return refuse(connect, turnedAway.reasonCode, turnedAway.reason);
  }
  const decision = decideConnect(connect, services.limits, services.assignId ?? randomId);
  if (decision.kind === "refused") {
    return refuse(connect, decision.reasonCode, decision.detail);
  }
  const { username, password } = connect;
  const { clientId } = decision;
  // By the account that it says it is: a password that need not be checked costs nothing.
  const ban = services.bans?.of({ account: username ?? "", clientId, peer: arrival.peer });
  if (ban !== undefined) return refuse(connect, ban.reasonCode, ban.reason);
  const certifiedName = arrival.certificate?.name;
  const answer = services.authenticate({
    clientId,
    username,
    password,
    certifiedName,
    peer: arrival.peer,
  });
  const conclude = (authentication: Authentication): Handshake =>
    authentication.kind === "denied"
      ? refuse(connect, authentication.reasonCode, "authentication failed")
      : connected(connect, decision, authentication, arrival, services);
  return answer instanceof Promise
    ? answer.then(conclude, () => conclude(unavailable))
    : conclude(answer);
}

function connected(
  connect: Connect,
  admitted: Admitted,
  { account, accountVersion, permit, expiresMs = Infinity }: Granted,
  { peer, certificate }: Arrival,
  { limits, bans }: EndpointServices,
): Handshake {
  const { clientId, keepAliveS } = admitted;
  // An account that the client had not named before.
  const named = account === (connect.username ?? "");
  const ban = named ? undefined : bans?.of({ account, clientId, peer });
  if (ban !== undefined) return refuse(connect, ban.reasonCode, ban.reason);
  if (connect.will !== undefined && permit !== undefined) {
    const topic = utf8.encode(connect.will.topic);
    if (!permit.publish(topic, 0, topic.length)) {
      return refuse(connect, reasonCodes.notAuthorized, "a will on a topic that is not its own");
    }
  }
  const endsMs = certificate === undefined ? expiresMs : Math.min(expiresMs, certificate.expiresMs);
  return {
    kind: "connected",
    connack: admission(connect, admitted, limits),
    session: {
      clientId,
      account,
      version: connect.version,
      peer,
      accountVersion,
      permit,
      expiresMs: endsMs === Infinity ? undefined : endsMs,
      certificate,
    },
    silenceMsMax: keepAliveS * 1_500,
  };
}

/** CONNECT is refused; `reason` says why in words. */
export function refuse(
  { version }: Pick<Connect, "version">,
  reasonCode: number,
  reason: string,
): Handshake {
  const detail = `${reasonName(reasonCode)}: ${reason}`;
  return { kind: "refused", connack: refusal(version, reasonCode), reason, detail };
}
