/**
 * Tokens: JWTs signed with HS256 by jose. What is not pinned here is refused: the algorithm, the
 * issuer, the audience and the members of the header. `kid` only chooses among our own keys.
 *
 * @module
 */
import { errors, type JWTHeaderParameters, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { isTexts } from "../../runtime/fields.ts";
import { isRoles } from "./account.ts";
import type { Permissions } from "./permissions.ts";

export const tokenIssuer = "sluice";
export const tokenAudience = "sluice";
const algorithm = "HS256";
/** How far the clocks of two instances may differ. */
export const clockToleranceS = 30;
/** A longer one is refused before it is read. */
export const tokenCharsMax = 16 * 1024;

/** A key with its name. The first of a ring signs; all of them verify. */
export interface TokenKey {
  readonly kid: string;
  readonly secret: Uint8Array;
}

/** What a token says, once it is known to be ours. */
export interface Claims {
  readonly name: string;
  /** Of the account when the token was issued. */
  readonly version: number;
  readonly issuedS: number;
  readonly expiresS: number;
  readonly permissions: Permissions;
}

/** Why a token is refused: a stable word. */
export type TokenRefusal = "expired" | "invalid";

/**
 * Makes a token.
 *
 * @throws {RangeError} without a key.
 */
export function signToken(claims: Claims, keys: readonly TokenKey[]): Promise<string> {
  const [key] = keys;
  if (key === undefined) throw new RangeError("Cannot sign a token: there is no key");
  const { roles, read, write, devices } = claims.permissions;
  return new SignJWT({ ver: claims.version, roles: [...roles], read, write, devices })
    .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: key.kid })
    .setSubject(claims.name)
    .setIssuer(tokenIssuer)
    .setAudience(tokenAudience)
    .setIssuedAt(claims.issuedS)
    .setExpirationTime(claims.expiresS)
    .sign(key.secret);
}

/** Checks a token; `nowMs` is wall time. Never rejects. */
export async function verifyToken(
  token: string,
  keys: readonly TokenKey[],
  nowMs: number,
): Promise<Claims | TokenRefusal> {
  if (token.length > tokenCharsMax) return "invalid";
  try {
    const { payload } = await jwtVerify(token, (header) => ownKey(header, keys), {
      algorithms: [algorithm],
      typ: "JWT",
      issuer: tokenIssuer,
      audience: tokenAudience,
      clockTolerance: clockToleranceS,
      requiredClaims: ["sub", "iat", "exp"],
      currentDate: new Date(nowMs),
    });
    const claims = claimsOf(payload);
    // jose looks at `iat` only where a greatest age is given.
    const ahead = claims !== undefined && claims.issuedS > nowMs / 1000 + clockToleranceS;
    return claims === undefined || ahead ? "invalid" : claims;
  } catch (error) {
    return error instanceof errors.JWTExpired ? "expired" : "invalid";
  }
}

const headerNames: ReadonlySet<string> = new Set(["alg", "typ", "kid"]);

/** jose turns what is thrown here into a refusal by rejecting. */
function ownKey(header: JWTHeaderParameters, keys: readonly TokenKey[]): Uint8Array {
  // `jwk`, `jku`, `x5u`, `x5c`, `crit`, `b64`: nobody but an attacker would send them.
  const foreign = Object.keys(header).find((name) => !headerNames.has(name));
  const key = foreign === undefined ? keys.find(({ kid }) => kid === header.kid) : undefined;
  if (key === undefined) throw new errors.JWKSNoMatchingKey();
  return key.secret;
}

function claimsOf(payload: JWTPayload): Claims | undefined {
  const { sub, iat, exp, ver, read, write, devices } = payload;
  const held = payload.roles;
  if (
    typeof sub !== "string" || iat === undefined || exp === undefined || typeof ver !== "number" ||
    !isTexts(read) || !isTexts(write) || !isTexts(devices) || !isRoles(held)
  ) return undefined;
  const permissions = { roles: held, read, write, devices };
  return { name: sub, version: ver, issuedS: iat, expiresS: exp, permissions };
}

/** The key of a secret; its name follows from it, so that all instances agree. */
export async function tokenKey(secret: string): Promise<TokenKey> {
  const bytes = new TextEncoder().encode(secret);
  const named = new TextEncoder().encode(`sluice key id\n${secret}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", named));
  return { kid: digest.subarray(0, 9).toBase64({ alphabet: "base64url" }), secret: bytes };
}
