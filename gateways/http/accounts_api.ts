/**
 * `/login`, and accounts and the audit log under `/api`, which only an admin may use, also where
 * accounts are not required.
 *
 * @module
 */
import type { Context } from "hono";
import { parseAccountLimits, parseLimitsChange } from "../../actors/rates/account_limits.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type Account, accountKinds, type Grants, type Role, roles } from "../auth/account.ts";
import { AccountError, type Accounts, type Issued } from "../auth/accounts.ts";
import { answerLogin } from "../auth/login.ts";
import type { Logins } from "../auth/logins.ts";
import type { TokenGate } from "../auth/token_gate.ts";
import type { Log } from "../log/log.ts";
import { adminOf } from "./guard.ts";
import type { Handler, Handlers } from "./handler.ts";
import type { accountOperations } from "./openapi/operations/accounts.ts";
import { Problem } from "./problem.ts";
import { invalidBody, jsonObject } from "./json_body.ts";
import {
  encodeCursor,
  invalidParameter,
  pageParameters,
  pageQuery,
  parametersOf,
} from "./request.ts";
import { rfc3339 } from "./rfc3339.ts";

/** What the accounts' part of the edge needs. */
export interface AccountsParts {
  readonly accounts: Accounts;
  readonly logins: Logins;
  readonly gate: TokenGate;
  /** After a change: makes it known without delay. */
  readonly changed: () => Promise<void>;
}

type Json = Readonly<Record<string, unknown>>;

export function accountHandlers(
  parts: AccountsParts,
  clock: Clock,
  log: Log,
): Handlers<typeof accountOperations> {
  const { accounts, logins, gate } = parts;
  const login: Handler = (context) =>
    answerLogin(context.req.raw, peerOf(context.env), {
      logins,
      clock,
      refused: (refused) => log.warn("a login failed", refused),
      failed: (cause) => log.warn("a login could not be checked", { cause: String(cause) }),
    });

  const admin = ({ req }: Context): Promise<string> => adminOf(req.raw.headers, gate, clock);
  /** A change as an admin orders it, by a body with these keys. */
  const change = (
    allowed: readonly string[],
    make: (order: Json, actor: string, context: Context) => Promise<Json>,
    status: 200 | 201 = 200,
  ): Handler =>
  async (context) => {
    const actor = await admin(context);
    parametersOf(context.req.url, []);
    const order = await jsonObject(context.req.raw, allowed);
    const answer = await told(() => make(order, actor, context));
    await parts.changed();
    return context.json(answer, status);
  };

  const addAccount = change(
    ["name", "kind", "password", "limits", ...grantNames],
    (order, by) =>
      accounts.add({
        name: text(order, "name"),
        kind: oneOf(order.kind, accountKinds, "kind"),
        ...grantsOf(order),
        ...(order.limits === undefined
          ? {}
          : { limits: checked(parseAccountLimits, order.limits) }),
        ...passwordOf(order),
      }, by).then(issuedJson),
    201,
  );
  return {
    login,
    addAccount,
    deleteAccount: async (context) => {
      const actor = await admin(context);
      const name = parametersOf(context.req.url, ["name"]).get("name");
      if (name === undefined) throw invalidParameter("name", "say which account is to be deleted");
      await told(() => accounts.remove(name, actor));
      await parts.changed();
      return new Response(null, { status: 204 });
    },
    getAccounts: async (context) => {
      await admin(context);
      const parameters = parametersOf(context.req.url, [...pageParameters, "name"]);
      const name = parameters.get("name");
      if (name !== undefined) {
        const account = await accounts.find(name);
        return context.json({ items: account === undefined ? [] : [accountJson(account)] });
      }
      const { limit, after } = pageQuery(parameters);
      const items = await accounts.list(
        after === undefined ? { limit: limit + 1 } : { limit: limit + 1, after },
      );
      const shown = items.slice(0, limit);
      const last = items.length > limit ? shown.at(-1) : undefined;
      return context.json({
        items: shown.map(accountJson),
        ...(last === undefined ? {} : { next: encodeCursor(last.name) }),
      });
    },
    grantAccount: change(
      ["name", ...grantNames],
      async (order, by) =>
        accountJson(await accounts.grant(text(order, "name"), grantsOf(order), by)),
    ),
    limitAccount: change(
      ["limits"],
      async (order, by, { req }) => {
        const limits = checked(parseLimitsChange, order.limits);
        return accountJson(await accounts.limit(req.param("name") ?? "", limits, by));
      },
    ),
    disableAccount: change(
      ["name"],
      async (order, by) => accountJson(await accounts.disable(text(order, "name"), by)),
    ),
    enableAccount: change(
      ["name"],
      async (order, by) => accountJson(await accounts.enable(text(order, "name"), by)),
    ),
    rotateAccount: change(["name", "password"], async (order, by) => {
      const { password } = passwordOf(order);
      return issuedJson(await accounts.rotate(text(order, "name"), password, by));
    }),
    getAudit: async (context) => {
      await admin(context);
      const { limit, after } = pageQuery(parametersOf(context.req.url, pageParameters));
      const before = Number(after);
      if (after !== undefined && !(after !== "" && Number.isSafeInteger(before))) {
        throw invalidParameter("cursor", "must be the `next` of the page before");
      }
      const entries = await accounts.audit(after === undefined ? { limit } : { limit, before });
      const last = entries.length === limit ? entries.at(-1) : undefined;
      return context.json({
        items: entries.map(({ atMs, ...entry }) => ({ ...entry, at: rfc3339(atMs) })),
        ...(last === undefined ? {} : { next: encodeCursor(String(last.sequence)) }),
      });
    },
  };
}

/** The environment is what the caller of the app gave. */
function peerOf(environment: unknown): string {
  if (typeof environment === "object" && environment !== null && "peer" in environment) {
    if (typeof environment.peer === "string") return environment.peer;
  }
  return "";
}

const problemTypes = {
  invalid: "invalid-body",
  exists: "account-exists",
  unknown: "not-found",
  last_admin: "last-admin",
} as const;

async function told<T>(make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof AccountError)) throw error;
    throw new Problem(problemTypes[error.reason], error.message);
  }
}

function accountJson({ createdMs, changedMs, ...account }: Account): Json {
  return { ...account, created: rfc3339(createdMs), changed: rfc3339(changedMs) };
}

/** The password is told this once. */
const issuedJson = ({ account, password }: Issued): Json => ({
  ...accountJson(account),
  password,
});

const grantNames = ["roles", "read", "write", "devices"] as const;

function text(order: Json, key: string): string {
  const value = order[key];
  if (typeof value !== "string" || value === "") throw invalidBody(`${key} must be a text`);
  return value;
}

function texts(value: unknown, key: string): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw invalidBody(`${key} must be a list of texts`);
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], key: string): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw invalidBody(`${key} must be one of ${allowed.join(", ")}`);
  return found;
}

function checked<T>(parse: (value: unknown) => T, limits: unknown): T {
  try {
    return parse(limits);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidBody(`limits: ${error.message}`);
  }
}

const passwordOf = (order: Json): { readonly password?: string } =>
  order.password === undefined ? {} : { password: text(order, "password") };

function grantsOf(order: Json): Partial<Grants> {
  const { roles: held, read, write, devices } = order;
  return {
    ...(held === undefined ? {} : {
      roles: texts(held, "roles").map((role): Role => oneOf(role, roles, "roles")),
    }),
    ...(read === undefined ? {} : { read: texts(read, "read") }),
    ...(write === undefined ? {} : { write: texts(write, "write") }),
    ...(devices === undefined ? {} : { devices: texts(devices, "devices") }),
  };
}
