/**
 * Asks for a token wherever an operation needs one, and lets through who may do what is asked.
 *
 * @module
 */
import type { BanClient } from "../../actors/rates/ban.ts";
import { type Asked, mayUse, tokenOf } from "../auth/api_guard.ts";
import type { Certified } from "../auth/certified.ts";
import type { Claims } from "../auth/token.ts";
import type { TokenGate } from "../auth/token_gate.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { HttpHandler } from "./app.ts";
import { type BannedUntil, refuseBanned } from "./banned.ts";
import { type Caller, type Callers, unknown } from "./callers.ts";
import { findOperation, operations } from "./openapi/resources.ts";
import { Problem, problemResponse } from "./problem.ts";
import { secured } from "./security.ts";

/** Knows who asks. */
export interface Identity {
  readonly gate: TokenGate;
  readonly clock: Clock;
  /** Without it nobody has a certificate. */
  readonly certified?: Pick<Certified, "claimsOf" | "endOf" | "bind">;
}

export interface GuardParts extends Identity {
  readonly handle: HttpHandler;
  readonly callers: Callers;
  /** Without it everybody may use the API, but for the accounts. */
  readonly required: boolean;
  /** Without it nobody is banned. */
  readonly bannedUntilMs?: BannedUntil;
}

/** `handle` with the guard in front. Never rejects. */
export function guarded(
  { handle, callers, required, bannedUntilMs, ...identity }: GuardParts,
): HttpHandler {
  const refuse = async (
    request: Request,
    caller: Caller,
    who: Partial<BanClient>,
  ): Promise<void> => {
    const client = { account: "", clientId: "", address: "", ...who };
    if (bannedUntilMs === undefined || bannedUntilMs(client, false) === 0) return;
    const shown = required ? caller : unknown;
    if (!await isSpared(request, shown, identity)) {
      refuseBanned(bannedUntilMs, client, identity.clock);
    }
  };
  return async (request, caller = unknown) => {
    callers.set(request, caller);
    const asked = required ? askedBy(request) : undefined;
    try {
      await refuse(request, caller, { address: caller.peer });
      refuseEnded(caller.certificate, identity.certified);
      if (asked !== undefined && isStranger(request, caller, asked)) {
        callers.set(request, { ...caller, isStranger: true });
      } else if (asked !== undefined) {
        const claims = await claimsOf(request.headers, caller, identity);
        await refuse(request, caller, { account: claims.name });
        if (asked !== "token" && !mayUse(claims.permissions, asked.access, asked.name)) {
          throw new Problem("forbidden", `the account ${claims.name} may not do this`);
        }
        callers.set(request, { ...caller, claims });
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return secured(problemResponse(error));
    }
    return await handle(request, caller);
  };
}

/** Whether who is banned may ask this all the same. @throws {Problem} `unavailable`. */
async function isSpared(request: Request, caller: Caller, identity: Identity): Promise<boolean> {
  const found = findOperation(request);
  const spares = found && operations[found.id].spares;
  if (spares !== "admin") return spares === "address";
  try {
    const { permissions } = await claimsOf(request.headers, caller, identity);
    return permissions.roles.includes("admin");
  } catch (error) {
    if (error instanceof Problem && error.type !== "unavailable") return false;
    throw error;
  }
}

interface AskedFor {
  readonly access: Asked;
  /** The device or the topic it is about. */
  readonly name: string | undefined;
}

/** What a request needs; of the API all does, also what is not there. `undefined`: nothing. */
function askedBy(request: Request): AskedFor | "token" | undefined {
  const { pathname, searchParams } = new URL(request.url);
  const found = findOperation(request);
  if (found === undefined) {
    return pathname === "/api" || pathname.startsWith("/api/") ? "token" : undefined;
  }
  const { access } = operations[found.id];
  if (access === "open" || access === "connection") return undefined;
  const name = found.name === undefined
    ? onlyOne(searchParams.getAll("device"))
    : decoded(found.name);
  return { access, name };
}

/** Who sends readings may show the token in them. */
const isStranger = (
  { headers }: Request,
  { certificate }: Caller,
  asked: AskedFor | "token",
): boolean =>
  asked !== "token" && asked.access === "sender" && certificate === undefined &&
  !headers.has("authorization") && tokenOf(headers) === undefined;

const onlyOne = (values: readonly string[]): string | undefined =>
  values.length === 1 ? values[0] : undefined;

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined; // Not UTF-8, so the name of nothing.
  }
}

/** What who shows no token is told. */
export const tokenMissing = "send a token that POST /login gave: Authorization: Bearer …";

const why: Readonly<Record<string, string>> = {
  expired: "the token has expired; log in again",
  outdated: "the account has changed since the token was issued; log in again",
  invalid: "the token is not valid",
};

const whyNotCertified: Readonly<Record<string, string>> = {
  wrong: "the certificate's account is not there, or is disabled",
  expired: "the certificate has expired",
  revoked: "the certificate was revoked",
};

/** The name of the admin who asks. @throws {Problem} when it is none. */
export async function adminOf(headers: Headers, gate: TokenGate, clock: Clock): Promise<string> {
  const claims = await claimsOf(headers, unknown, { gate, clock });
  if (claims.permissions.roles.includes("admin")) return claims.name;
  throw new Problem("forbidden", `the account ${claims.name} is no admin`);
}

/**
 * What the token of a request says, or the certificate of its client; what is given must be of one
 * account.
 *
 * @throws {Problem} when there is none that is good.
 */
export async function claimsOf(
  headers: Headers,
  { peer, certificate }: Pick<Caller, "peer" | "certificate">,
  { gate, clock, certified }: Identity,
): Promise<Claims> {
  refuseEnded(certificate, certified);
  const token = tokenOf(headers);
  const claims = token !== undefined
    ? await gate.admit(token, clock.now())
    : certificate && await certified?.claimsOf(certificate, peer);
  if (claims === "unavailable") {
    throw new Problem("unavailable", "the accounts' database has not answered yet", {}, {
      "retry-after": "5",
    });
  }
  const isOther = typeof claims === "object" && certificate !== undefined &&
    claims.name !== certificate.name;
  if (typeof claims === "object" && !isOther) {
    const isBound = token !== undefined && certificate !== undefined && certified !== undefined;
    return isBound ? certified.bind(claims, certificate) : claims;
  }
  const detail = claims === undefined
    ? tokenMissing
    : typeof claims === "object"
    ? "the token is not of the certificate's account"
    : (token === undefined ? whyNotCertified : why)[claims] ?? claims;
  const error = claims === undefined ? "" : ', error="invalid_token"';
  throw unauthorized(detail, error);
}

/** @throws {Problem} when the client came with a certificate that is good no more. */
function refuseEnded(
  certificate: Caller["certificate"],
  certified: Identity["certified"],
): void {
  const end = certificate && certified?.endOf(certificate);
  if (end !== undefined) throw unauthorized(whyNotCertified[end] ?? end);
}

/** `error` says more than that a token is missing, as RFC 6750 has it. */
export const unauthorized = (detail: string, error = ', error="invalid_token"'): Problem =>
  new Problem("unauthorized", detail, {}, {
    "www-authenticate": `Bearer realm="sluice"${error}`,
  });
