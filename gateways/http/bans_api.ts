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
import { invalidBody, jsonObject } from "./json_body.ts";
import { encodeCursor, pageParameters, pageQuery, parametersOf } from "./request.ts";
import { rfc3339 } from "./rfc3339.ts";

/** What the bans' part of the edge needs. */
export interface BansParts {
  readonly bans: Pick<BanList, "current" | "order" | "lift">;
  readonly gate: TokenGate;
}

/** Ten years: who is to stay away for good has no account. */
const forSMax = 315_360_000;
const textCharsMax = 512;
const keys = ["client", "account", "address", "forS", "reason"];

type Json = Readonly<Record<string, unknown>>;

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
      const { subject, client, forS, reason } = orderOf(await jsonObject(context.req.raw, keys));
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

function banJson({ sinceMs, untilMs, ...ban }: Ban): Json {
  return { ...ban, since: rfc3339(sinceMs), until: rfc3339(untilMs) };
}

interface Order {
  readonly subject: BanSubject;
  readonly client: BanClient;
  readonly forS: number;
  readonly reason: string;
}

/** `{"client", "account"?}`, `{"account"}` or `{"address"}`, with `forS` and perhaps `reason`. */
function orderOf({ client, account, address, forS, reason }: Json): Order {
  const subject = address !== undefined ? "address" : client !== undefined ? "client" : "account";
  if (address !== undefined && (client !== undefined || account !== undefined)) {
    throw invalidBody(
      "an address is banned whoever connects from it: leave client and account out",
    );
  }
  const named = { clientId: optional(client, "client"), account: optional(account, "account") };
  const from = networkOf(optional(address, "address"));
  if (named.clientId + named.account + from === "") {
    throw invalidBody("say who is to be banned: client, account or address");
  }
  if (typeof forS !== "number" || !Number.isInteger(forS) || forS < 1 || forS > forSMax) {
    throw invalidBody(`forS must be an integer from 1 to ${forSMax}, in seconds`);
  }
  const because = reason === undefined ? "by hand" : optional(reason, "reason");
  return { subject, client: { ...named, address: from }, forS, reason: because };
}

function optional(value: unknown, key: string): string {
  if (value === undefined) return "";
  if (typeof value === "string" && value !== "" && value.length <= textCharsMax) return value;
  throw invalidBody(`${key} must be a text of 1 to ${textCharsMax} characters`);
}
