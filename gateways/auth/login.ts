/**
 * `POST /login` as a function from request to answer, by Web APIs: the service's HTTP edge has it,
 * and the same on Deno Deploy.
 *
 * @module
 */
import type { Clock } from "../../runtime/clock.ts";
import { boundedBody } from "../http/body.ts";
import { Problem, problemResponse, unknownType } from "../http/problem.ts";
import { checkUnpacked } from "../http/request.ts";
import { reachedAt } from "./endpoints.ts";
import type { LoggedIn, Logins } from "./logins.ts";
import { BusyError } from "./turns.ts";

const bodyBytesMax = 8 * 1024;
const bodyMs = 10_000;
const types = ["application/x-www-form-urlencoded", "application/json"];
export const sessionCookie = "sluice_session";

/** What a login needs. */
export interface LoginParts {
  readonly logins: Pick<Logins, "login">;
  readonly clock: Clock;
  /** Is told of a login that was not granted; the name is what somebody sent. */
  readonly refused: (login: { name: string; address: string; why: "wrong" | "limited" }) => void;
  /** Is told what the database, or a defect, made impossible. */
  readonly failed: (cause: unknown) => void;
}

/**
 * Answers a request to `/login`. Never rejects.
 *
 * @param address of the other end, for the limits.
 */
export async function answerLogin(
  request: Request,
  address: string,
  parts: LoginParts,
): Promise<Response> {
  if (request.method === "OPTIONS") {
    return new Response(null, { status: 204, headers: { allow: "POST" } });
  }
  try {
    if (request.method !== "POST") {
      const detail = `${request.method} is not known here; allowed: POST`;
      throw new Problem("method-not-allowed", detail, {}, { allow: "POST" });
    }
    const fields = await fieldsOf(request, parts.clock);
    const name = fields.get("name") ?? "";
    const password = fields.get("password") ?? "";
    const missing = name === "" ? "name" : password === "" ? "password" : undefined;
    if (missing !== undefined) throw invalid(`the field ${missing} is missing`);
    const result = await parts.logins.login(name, password, address).catch((cause) => {
      if (!(cause instanceof BusyError)) parts.failed(cause);
      const detail = "logins cannot be checked now; try again";
      throw new Problem("unavailable", detail, {}, { "retry-after": "5" });
    });
    if (result.kind !== "granted") parts.refused({ name, address, why: result.kind });
    return answer(request, result, fields.has("session"));
  } catch (error) {
    await request.body?.cancel().catch(() => {}); // It is read, or of no interest.
    if (!(error instanceof Problem)) throw error;
    return problemResponse(error);
  }
}

const invalid = (detail: string): Problem => new Problem("invalid-body", detail);

function answer(request: Request, result: LoggedIn, session: boolean): Response {
  switch (result.kind) {
    case "wrong":
      throw new Problem("login-failed", "name or password is wrong", {}, {
        "www-authenticate": 'Bearer realm="sluice"',
      });
    case "limited": {
      const { retryAfterS } = result;
      const detail = `too many wrong tries; the next one counts in ${retryAfterS} s`;
      throw new Problem("too-many-tries", detail, {}, { "retry-after": String(retryAfterS) });
    }
    case "granted":
      return granted(request, result, session);
    default:
      return result satisfies never;
  }
}

function granted(
  request: Request,
  { token, claims, endpoints: listening }: Extract<LoggedIn, { kind: "granted" }>,
  session: boolean,
): Response {
  const { hostname } = new URL(request.url);
  const endpoints = listening.map((url) => reachedAt(url, hostname));
  const json = wantsJson(request.headers.get("accept"));
  const lifetimeS = claims.expiresS - claims.issuedS;
  const headers = new Headers({
    "content-type": json ? "application/json" : "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "vary": "accept",
    "sluice-endpoints": endpoints.join(", "),
  });
  if (session) {
    const overTls = request.url.startsWith("https:") ||
      request.headers.get("x-forwarded-proto") === "https";
    const secure = overTls ? "; Secure" : "";
    headers.set(
      "set-cookie",
      `${sessionCookie}=${token}; Path=/; Max-Age=${lifetimeS}; HttpOnly; SameSite=Strict${secure}`,
    );
  }
  const body = json
    ? `${
      JSON.stringify({
        token,
        tokenType: "Bearer",
        expiresAt: new Date(claims.expiresS * 1000).toISOString(),
        endpoints,
      })
    }\n`
    : token;
  return new Response(body, { status: 200, headers });
}

/** JSON when it is named and liked no less than text. */
function wantsJson(accept: string | null): boolean {
  let json = 0;
  let text = 0;
  for (const part of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    const q = quality === undefined ? 1 : Number(quality.slice(2));
    if (type === "application/json") json = q;
    if (type === "text/plain") text = q;
  }
  return json > 0 && json >= text;
}

async function fieldsOf(request: Request, clock: Clock): Promise<ReadonlyMap<string, string>> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "" && !types.includes(type)) throw unknownType(type, types);
  checkUnpacked(request.headers);
  const body = await boundedBody(request, { bytesMax: bodyBytesMax, deadlineMs: bodyMs, clock });
  if (type === "") {
    // Without a body there is nothing of a wrong type; what it lacks is fields. `deno serve` gives
    // a stream for one that is not there, so only reading it tells.
    if (body.length === 0) return new Map();
    throw unknownType(type, types);
  }
  const text = new TextDecoder().decode(body);
  return type === "application/json" ? jsonFields(text) : formFields(text);
}

function formFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) throw invalid(`the field ${JSON.stringify(name)} is given twice`);
    fields.set(name, value);
  }
  return fields;
}

function jsonFields(text: string): ReadonlyMap<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("the body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("the body must be an object");
  }
  const fields = new Map<string, string>();
  for (const [name, field] of Object.entries(value)) {
    if (name === "session" && typeof field === "boolean") {
      if (field) fields.set(name, "true");
    } else if (typeof field !== "string") {
      if (name === "name" || name === "password") throw invalid(`${name} must be a text`);
    } else fields.set(name, field);
  }
  return fields;
}
