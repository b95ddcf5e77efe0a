/**
 * Operations on accounts.
 *
 * @module
 */
import { nameCharsMax } from "../../../auth/account.ts";
import type { ProblemType } from "../../problem.ts";
import {
  type Answer,
  json,
  noContent,
  type Operation,
  page,
  query,
  ref,
  type Schema,
  table,
  text,
} from "../operation.ts";

const tag = "accounts";
const name: Schema = { type: "string", minLength: 1, maxLength: nameCharsMax };
const body = (schema: Schema, example: unknown): NonNullable<Operation["body"]> => ({
  required: true,
  content: { "application/json": { schema, example } },
});
const station = { name: "UPB/RPi_1" };
const changed = json("The account.", ref("Account"));
const issued = (status: 200 | 201) => ({
  ...json("The account with its new password.", ref("IssuedAccount")),
  status,
});

const ofName = body(ref("NameOrder"), station);

/** A change of an account that is there. */
const order = (
  word: string,
  summary: string,
  body: NonNullable<Operation["body"]>,
  answer: Answer,
  ...problems: readonly ProblemType[]
): Operation => ({
  method: "POST",
  path: `/api/accounts/${word}`,
  tag,
  summary,
  access: "admin",
  body,
  answers: [answer],
  problems: ["not-found", "unavailable", ...problems],
});

/** Accounts, and the login; answered by the main thread. */
export const accountOperations = table({
  login: {
    method: "POST",
    path: "/login",
    tag,
    summary: "A token for name and password",
    access: "open",
    body: {
      required: true,
      content: {
        "application/x-www-form-urlencoded": { schema: ref("Credentials") },
        "application/json": { schema: ref("Credentials"), example: { ...station, password: "…" } },
      },
    },
    answers: [{
      status: 200,
      doc: "The token; as JSON where `Accept` asks for it.",
      content: { "text/plain": { schema: text }, "application/json": { schema: ref("Token") } },
      headers: {
        "Sluice-Endpoints": "Where to connect, best first.",
        "Set-Cookie?": "The token, if `session` asked for it.",
      },
    }],
    problems: ["login-failed", "too-many-tries", "unavailable"],
  },
  getAccounts: {
    method: "GET",
    path: "/api/accounts",
    tag,
    summary: "Accounts",
    access: "admin",
    parameters: [...page, query("name", "Only this one.", name)],
    answers: [json("A page, in the order of names.", ref("AccountPage"))],
    problems: ["unavailable"],
  },
  addAccount: {
    method: "POST",
    path: "/api/accounts",
    tag,
    summary: "Adds an account",
    access: "admin",
    body: body(ref("NewAccount"), { ...station, kind: "device" }),
    answers: [issued(201)],
    problems: ["account-exists", "unavailable"],
  },
  deleteAccount: {
    method: "DELETE",
    path: "/api/accounts",
    tag,
    summary: "Deletes an account",
    access: "admin",
    parameters: [query("name", "Which one; it must be there.", name)],
    answers: [noContent("It is deleted.")],
    problems: ["not-found", "invalid-body", "last-admin", "unavailable"],
  },
  grantAccount: order(
    "grant",
    "Changes what an account may do",
    body(ref("GrantOrder"), { ...station, read: ["UPB/#"] }),
    changed,
    "last-admin",
  ),
  limitAccount: {
    method: "PATCH",
    path: "/api/accounts/{name}",
    tag,
    summary: "Sets limits that are an account's own",
    doc: "What is not named stays; what is null is as the configuration says for all accounts. " +
      "Sessions go on, and are held to it within a second.",
    access: "admin",
    parameters: [{ in: "path", name: "name", doc: "Of the account.", schema: name, rest: true }],
    body: body(ref("LimitsOrder"), { limits: { messages: "20:1,600:60", sessionsMax: 3 } }),
    answers: [changed],
    problems: ["not-found", "unavailable"],
  },
  disableAccount: order(
    "disable",
    "Shuts an account out, at once",
    ofName,
    changed,
    "last-admin",
  ),
  enableAccount: order("enable", "Lets an account in again", ofName, changed),
  rotateAccount: order(
    "rotate",
    "Gives an account another password",
    body(ref("RotateOrder"), station),
    issued(200),
  ),
  getAudit: {
    method: "GET",
    path: "/api/audit",
    tag,
    summary: "Who changed which account, and when",
    access: "admin",
    parameters: page,
    answers: [json("A page, newest first.", ref("AuditPage"))],
    problems: ["unavailable"],
  },
});
