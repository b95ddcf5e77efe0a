/**
 * How an MQTT client is let in: name and password are asked of the accounts, a token as password is
 * verified here, and who has a good certificate needs neither. What is given must be of one account.
 *
 * @module
 */
import type { Clock } from "../../runtime/clock.ts";
import { reasonCodes } from "../mqtt/codec/reason_code.ts";
import { hostOf } from "../mqtt/endpoint/arrival.ts";
import type {
  Authenticate,
  Authentication,
  SessionPermit,
} from "../mqtt/endpoint/endpoint_options.ts";
import { maySubscribe, type Permissions } from "./permissions.ts";
import { PublishPermit } from "./publish_permit.ts";
import { clockToleranceS } from "./token.ts";
import { looksLikeToken, type TokenGate } from "./token_gate.ts";

/** Who wants to be let in, and by what. */
export type AccountQuestion =
  & {
    readonly name: string;
    /** IP address of the client. */
    readonly address: string;
  }
  & (
    | { readonly proof: "password"; readonly password: string }
    /** Its certificate, which was found good, is for that name. */
    | { readonly proof: "certificate" }
  );

/** What the accounts say; rejects when they cannot be asked. */
export type AskAccounts = (question: AccountQuestion) => Promise<
  | { readonly kind: "granted"; readonly version: number; readonly permissions: Permissions }
  | { readonly kind: "wrong" | "limited" | "busy" | "unavailable" }
>;

const denials = {
  wrong: reasonCodes.badUserNameOrPassword,
  invalid: reasonCodes.badUserNameOrPassword,
  limited: reasonCodes.connectionRateExceeded,
  busy: reasonCodes.serverBusy,
  unavailable: reasonCodes.serverUnavailable,
  expired: reasonCodes.notAuthorized,
  outdated: reasonCodes.notAuthorized,
} as const;

const denied = (why: keyof typeof denials): Authentication => ({
  kind: "denied",
  reasonCode: denials[why],
});

/** See the module. */
export function mqttAuthenticator(gate: TokenGate, ask: AskAccounts, clock: Clock): Authenticate {
  return async (credentials) => {
    const { certifiedName } = credentials;
    const username = credentials.username || certifiedName || "";
    if (certifiedName !== undefined && username !== certifiedName) return denied("invalid");
    const password = textOf(credentials.password) ?? "";
    if (password === "" && certifiedName === undefined) {
      return { kind: "denied", reasonCode: reasonCodes.notAuthorized };
    }
    if (looksLikeToken(password)) {
      const claims = await gate.admit(password, clock.now());
      if (typeof claims === "string") return denied(claims);
      if (username !== "" && username !== claims.name) return denied("invalid");
      return {
        kind: "granted",
        account: claims.name,
        accountVersion: claims.version,
        permit: permitOf(claims.permissions),
        expiresMs: (claims.expiresS + clockToleranceS) * 1000,
      };
    }
    const answer = await ask({
      name: username,
      address: hostOf(credentials.peer),
      ...(password === "" ? { proof: "certificate" } : { proof: "password", password }),
    });
    if (answer.kind !== "granted") return denied(answer.kind);
    if (!gate.isCurrent({ name: username, version: answer.version })) return denied("outdated");
    return {
      kind: "granted",
      account: username,
      accountVersion: answer.version,
      permit: permitOf(answer.permissions),
    };
  };
}

/** What an account with these permissions may do over MQTT. */
export function permitOf(permissions: Permissions): SessionPermit {
  const write = new PublishPermit(permissions.write);
  return {
    publish: (bytes, start, end) => write.allows(bytes, start, end),
    subscribe: (filter) => maySubscribe(permissions, filter),
  };
}

/** A password that is no UTF-8 is nobody's. */
function textOf(password: Uint8Array | undefined): string | undefined {
  try {
    return password && new TextDecoder("utf-8", { fatal: true }).decode(password);
  } catch {
    return "\0"; // asked for like any wrong one, so that it counts and takes as long
  }
}
