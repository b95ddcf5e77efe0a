/**
 * `/api/bans`, which only an admin may use, also where accounts are not required.
 *
 * @module
 */
import { type Ban, type BanClient, type BanSubject } from "../../actors/rates/ban.ts";
import type { BanList } from "../../actors/rates/ban_list.ts";
import type { Clock } from "../../runtime/clock.ts";
import { networkOf } from "../auth/login_limits.ts";
import type { TokenGate } from "../auth/token_gate.ts";
import { adminOf } from "./guard.ts";
import type { Handlers } from "./handler.ts";
import type { banOperations } from "./openapi/operations/bans.ts";
import { Problem } from "./problem.ts";
import { jsonBody } from "./json_body.ts";
import { encodeCursor, pageParameters, pageQuery, parametersOf } from "./request.ts";

/** What the bans' part of the edge needs. */
export interface BansParts {
  readonly bans: Pick<BanList, "current" | "order" | "lift">;
  readonly gate: TokenGate;
}

/** Ten years: who is to stay away for good has no account. */
const forSMax = 315_360_000;
const textCharsMax = 512;

export function banHandlers(
  { bans, gate }: BansParts,
  clock: Clock,
): Handlers<typeof banOperations> {
  return {
    getBans: async (context) => {
      await adminOf(context.req.raw.headers, gate, clock);
      const { limit, after = "" } = pageQuery(parametersOf(context.req.url, pageParameters));
      const rest = bans.current.toSorted((a, b) => a.key < b.key ? -1 : 1)
        .filter(({ key }) => key > after);
      const items = rest.slice(0, limit);
      const last = rest.length > limit ? items.at(-1) : undefined;
      return context.json({
        items: items.map(banJson),
        ...(last === undefined ? {} : { next: encodeCursor(last.key) }),
      });
    },
    addBan: async (context) => {
      const by = await adminOf(context.req.raw.headers, gate, clock);
      parametersOf(context.req.url, []);
      const { subject, client, forS, reason } = orderOf(await jsonBody(context.req.raw));
      const ban = bans.order({ subject, client, forMs: forS * 1_000, reason, by });
      return context.json(banJson(ban), 201);
    },
    liftBan: async (context) => {
      await adminOf(context.req.raw.headers, gate, clock);
      parametersOf(context.req.url, []);
      const key = context.req.param("key") ?? "";
      if (bans.lift(key)) return new Response(null, { status: 204 });
      throw new Problem("not-found", `no ban ${JSON.stringify(key)}`);
    },
  };
}

function banJson({ sinceMs, untilMs, ...ban }: Ban): Readonly<Record<string, unknown>> {
  const rfc3339 = (ms: number): string => new Date(ms).toISOString();
  return { ...ban, since: rfc3339(sinceMs), until: rfc3339(untilMs) };
}

const invalid = (what: string): Problem => new Problem("invalid-body", what);

interface Order {
  readonly subject: BanSubject;
  readonly client: BanClient;
  readonly forS: number;
  readonly reason: string;
}

/** `{"client", "account"?}`, `{"account"}` or `{"address"}`, with `forS` and perhaps `reason`. */
function orderOf(body: unknown): Order {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalid("the body must be an object");
  }
  const { client, account, address, forS, reason, ...others }: Record<string, unknown> = {
    ...body,
  };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw invalid(
      `unknown key ${JSON.stringify(unknown)}; allowed: client, account, address, forS, reason`,
    );
  }
  const subject = address !== undefined ? "address" : client !== undefined ? "client" : "account";
  if (address !== undefined && (client !== undefined || account !== undefined)) {
    throw invalid("an address is banned whoever connects from it: leave client and account out");
  }
  const named = { clientId: optional(client, "client"), account: optional(account, "account") };
  const from = networkOf(optional(address, "address"));
  if (named.clientId + named.account + from === "") {
    throw invalid("say who is to be banned: client, account or address");
  }
  if (typeof forS !== "number" || !Number.isInteger(forS) || forS < 1 || forS > forSMax) {
    throw invalid(`forS must be an integer from 1 to ${forSMax}, in seconds`);
  }
  const because = reason === undefined ? "by hand" : optional(reason, "reason");
  return { subject, client: { ...named, address: from }, forS, reason: because };
}

function optional(value: unknown, key: string): string {
  if (value === undefined) return "";
  if (typeof value === "string" && value !== "" && value.length <= textCharsMax) return value;
  throw invalid(`${key} must be a text of 1 to ${textCharsMax} characters`);
}
