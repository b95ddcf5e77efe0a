/**
 * Asks for a token wherever the API begins, and lets through who may do what is asked.
 *
 * @module
 */
import { isApi, isApiInDisguise, mayUseApi, tokenOf } from "../auth/api_guard.ts";
import type { Claims } from "../auth/token.ts";
import type { TokenGate } from "../auth/token_gate.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { HttpHandler } from "./app.ts";
import type { Callers } from "./callers.ts";
import { Problem, problemResponse } from "./problem.ts";

export interface GuardParts {
  readonly handle: HttpHandler;
  readonly callers: Callers;
  readonly gate: TokenGate;
  readonly clock: Clock;
  /** Without it everybody may use the API, but for the accounts. */
  readonly required: boolean;
}

/** `handle` with the guard in front. Never rejects. */
export function guarded({ handle, callers, gate, clock, required }: GuardParts): HttpHandler {
  return async (request, peer = "") => {
    callers.set(request, { peer });
    const url = new URL(request.url);
    if (!required) return await handle(request, peer);
    const disguised = isApiInDisguise(url.pathname);
    if (!disguised && !isApi(url.pathname)) return await handle(request, peer);
    try {
      if (disguised) throw new Problem("not-found", "write the path of the API as it is");
      const claims = await claimsOf(request.headers, gate, clock);
      if (!mayUseApi(claims.permissions, request.method, url)) {
        throw new Problem("forbidden", `the account ${claims.name} may not do this`);
      }
      callers.set(request, { peer, claims });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      await request.body?.cancel();
      return problemResponse(error);
    }
    return await handle(request, peer);
  };
}

const why = {
  expired: "the token has expired; log in again",
  outdated: "the account has changed since the token was issued; log in again",
  invalid: "the token is not valid",
} as const;

/** What the token of a request says. @throws {Problem} when there is none that is good. */
export async function claimsOf(headers: Headers, gate: TokenGate, clock: Clock): Promise<Claims> {
  const token = tokenOf(headers);
  const claims = token === undefined ? undefined : await gate.admit(token, clock.now());
  if (claims === "unavailable") {
    throw new Problem("unavailable", "the accounts' database has not answered yet", {}, {
      "retry-after": "5",
    });
  }
  if (typeof claims === "object") return claims;
  const detail = claims === undefined
    ? "send a token that POST /login gave: Authorization: Bearer …"
    : why[claims];
  const error = claims === undefined ? "" : ', error="invalid_token"';
  throw new Problem("unauthorized", detail, {}, {
    "www-authenticate": `Bearer realm="sluice"${error}`,
  });
}
