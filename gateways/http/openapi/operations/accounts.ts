/**
 * Operations on accounts.
 *
 * @module
 */
import { nameCharsMax } from "../../../auth/account.ts";
import { json, noContent, page, query, ref, type Schema, table, text } from "../operation.ts";

const tag = "accounts";
const name: Schema = { type: "string", minLength: 1, maxLength: nameCharsMax };
const order = (schema: Schema, example: unknown) => ({
  required: true,
  content: { "application/json": { schema, example } },
});
const station = { name: "UPB/RPi_1" };
const changed = json("The account.", ref("Account"));
const issued = (status: 200 | 201) => ({
  ...json("The account with its new password.", ref("IssuedAccount")),
  status,
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
    body: order(ref("NewAccount"), { ...station, kind: "device" }),
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
    problems: ["not-found", "invalid-body", "unavailable"],
  },
  grantAccount: {
    method: "POST",
    path: "/api/accounts/grant",
    tag,
    summary: "Changes what an account may do",
    access: "admin",
    body: order(ref("GrantOrder"), { ...station, read: ["UPB/#"] }),
    answers: [changed],
    problems: ["not-found", "unavailable"],
  },
  disableAccount: {
    method: "POST",
    path: "/api/accounts/disable",
    tag,
    summary: "Shuts an account out, at once",
    access: "admin",
    body: order(ref("NameOrder"), station),
    answers: [changed],
    problems: ["not-found", "unavailable"],
  },
  enableAccount: {
    method: "POST",
    path: "/api/accounts/enable",
    tag,
    summary: "Lets an account in again",
    access: "admin",
    body: order(ref("NameOrder"), station),
    answers: [changed],
    problems: ["not-found", "unavailable"],
  },
  rotateAccount: {
    method: "POST",
    path: "/api/accounts/rotate",
    tag,
    summary: "Gives an account another password",
    access: "admin",
    body: order(ref("RotateOrder"), station),
    answers: [issued(200)],
    problems: ["not-found", "unavailable"],
  },
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
