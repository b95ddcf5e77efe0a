/**
 * Clients of HTTP that show a certificate: what their account may do, asked for once a connection
 * and again when the account has changed.
 *
 * @module
 */
import type { Clock } from "../../runtime/clock.ts";
import type { ClientCertificate } from "../mqtt/endpoint/arrival.ts";
import type { AskAccounts } from "./mqtt_authenticator.ts";
import { type Claims, signToken, type TokenKey } from "./token.ts";
import type { TokenGate } from "./token_gate.ts";

/** Why a certificate lets nobody in: its account is not there or disabled, or it is its own fault. */
export type CertifiedRefusal = "wrong" | "expired" | "revoked" | "unavailable";

export interface CertifiedOptions {
  readonly gate: Pick<TokenGate, "isCurrent">;
  readonly ask: AskAccounts;
  readonly isRevoked: (certificate: ClientCertificate) => boolean;
  readonly clock: Clock;
}

/** How long a refusal stands, in ms: a client that asks on and on costs the database little. */
const refusalMs = 1_000;

interface Known {
  readonly answer: Promise<Claims | CertifiedRefusal>;
  readonly atMs: number;
}

/** See the module. */
export class Certified {
  readonly #options: CertifiedOptions;
  readonly #known = new WeakMap<ClientCertificate, Known>();
  readonly #certificates = new WeakMap<Claims, ClientCertificate>();

  constructor(options: CertifiedOptions) {
    this.#options = options;
  }

  /** What who came with it may do; it was found good when it came. Never rejects. */
  async claimsOf(
    certificate: ClientCertificate,
    address: string,
  ): Promise<Claims | CertifiedRefusal> {
    const end = this.endOf(certificate);
    if (end !== undefined) return end;
    const { clock } = this.#options;
    const known = this.#known.get(certificate);
    const claims = await known?.answer;
    if (typeof claims === "object" && this.isCurrent(claims)) return claims;
    const latest = this.#known.get(certificate);
    // Others that waited may have asked since; and a refusal stands for a while.
    const isFresh = latest !== undefined && (latest !== known ||
      (typeof claims === "string" && clock.monotonic() - latest.atMs < refusalMs));
    if (isFresh) return await latest.answer;
    const answer = this.#ask(certificate, address);
    this.#known.set(certificate, { answer, atMs: clock.monotonic() });
    return await answer;
  }

  /** Why a certificate that was found good when it came is good no more. */
  endOf(certificate: ClientCertificate): "expired" | "revoked" | undefined {
    if (this.#options.clock.now() >= certificate.expiresMs) return "expired";
    return this.#options.isRevoked(certificate) ? "revoked" : undefined;
  }

  /** A token's claims, which hold no longer than the certificate that came with it. */
  bind(claims: Claims, certificate: ClientCertificate): Claims {
    const expiresS = Math.min(claims.expiresS, Math.floor(certificate.expiresMs / 1_000));
    const bound = { ...claims, expiresS };
    this.#certificates.set(bound, certificate);
    return bound;
  }

  /** Whether the account is what it was, and the certificate, if there was one, not revoked. */
  isCurrent(claims: Claims): boolean {
    const certificate = this.#certificates.get(claims);
    return this.#options.gate.isCurrent(claims) &&
      (certificate === undefined || !this.#options.isRevoked(certificate));
  }

  async #ask(
    certificate: ClientCertificate,
    address: string,
  ): Promise<Claims | CertifiedRefusal> {
    const { ask, clock, gate } = this.#options;
    const { name, expiresMs } = certificate;
    const answer = await ask({ name, address, proof: "certificate" })
      .catch(() => ({ kind: "unavailable" }) as const);
    if (answer.kind !== "granted") return answer.kind === "wrong" ? "wrong" : "unavailable";
    const { version, permissions } = answer;
    if (!gate.isCurrent({ name, version })) return "unavailable"; // It has just changed.
    const claims: Claims = {
      name,
      version,
      permissions,
      issuedS: Math.floor(clock.now() / 1_000),
      expiresS: Math.floor(expiresMs / 1_000),
    };
    this.#certificates.set(claims, certificate);
    return claims;
  }
}

/** Long enough for the main thread to answer. */
const passMs = 60_000;

/** A token for a request that is passed on to a thread that has not seen the certificate. */
export function passFor(
  claims: Claims,
  keys: readonly TokenKey[],
  nowMs: number,
): Promise<string> {
  const expiresS = Math.min(claims.expiresS, Math.floor((nowMs + passMs) / 1_000));
  return signToken({ ...claims, issuedS: Math.floor(nowMs / 1_000), expiresS }, keys);
}
