/**
 * `POST /login` as a function from request to answer, by Web APIs: the service's HTTP edge has it,
 * and the same on Deno Deploy.
 *
 * @module
 */
import type { Accounts, LoggedIn } from "./accounts.ts";
import { BusyError } from "./turns.ts";

const bodyBytesMax = 8 * 1024;
export const sessionCookie = "sluice_session";

/** Errors have the form of the API's: `application/problem+json`. */
function problem(
  status: number,
  type: string,
  title: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = { type: `urn:sluice:problem:${type}`, title, status, detail };
  return new Response(`${JSON.stringify(body)}\n`, {
    status,
    headers: {
      ...headers,
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}

const wrong = () =>
  problem(401, "login-failed", "The login failed", "name or password is wrong", {
    "www-authenticate": 'Bearer realm="sluice"',
  });

/**
 * Answers a request to `/login`. Never rejects.
 *
 * @param address of the other end, for the limits.
 * @param failed is told what the database, or a defect, made impossible.
 */
export async function answerLogin(
  request: Request,
  accounts: Pick<Accounts, "login">,
  address: string,
  failed: (cause: unknown) => void,
): Promise<Response> {
  if (request.method === "OPTIONS") {
    return new Response(null, { status: 204, headers: { allow: "POST" } });
  }
  if (request.method !== "POST") {
    await request.body?.cancel();
    const detail = `${request.method} is not known here; allowed: POST`;
    return problem(405, "method-not-allowed", "The resource does not know this method", detail, {
      allow: "POST",
    });
  }
  const fields = await fieldsOf(request);
  if (fields instanceof Response) return fields;
  const name = fields.get("name") ?? "";
  const password = fields.get("password") ?? "";
  const missing = name === "" ? "name" : password === "" ? "password" : undefined;
  if (missing !== undefined) return invalid(`the field ${missing} is missing`);
  try {
    return answer(request, await accounts.login(name, password, address), fields.has("session"));
  } catch (cause) {
    if (!(cause instanceof BusyError)) failed(cause);
    const detail = "logins cannot be checked now; try again";
    return problem(503, "unavailable", "A part of the service does not answer now", detail, {
      "retry-after": "5",
    });
  }
}

const invalid = (detail: string): Response =>
  problem(400, "invalid-body", "The body is not valid", detail);

function answer(request: Request, result: LoggedIn, session: boolean): Response {
  switch (result.kind) {
    case "wrong":
      return wrong();
    case "limited":
      return problem(
        429,
        "too-many-tries",
        "Too many tries",
        `too many wrong tries; the next one counts in ${result.retryAfterS} s`,
        { "retry-after": String(result.retryAfterS) },
      );
    case "granted":
      return granted(request, result, session);
    default:
      return result satisfies never;
  }
}

function granted(
  request: Request,
  { token, claims, endpoints }: Extract<LoggedIn, { kind: "granted" }>,
  session: boolean,
): Response {
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
    const secure = request.headers.get("x-forwarded-proto") === "https" ? "; Secure" : "";
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

async function fieldsOf(request: Request): Promise<ReadonlyMap<string, string> | Response> {
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json" && type !== "application/x-www-form-urlencoded") {
    await request.body?.cancel();
    const detail = "send application/json or application/x-www-form-urlencoded";
    return problem(415, "unsupported-media-type", "The media type is not understood", detail);
  }
  const text = await boundedText(request);
  if (text === undefined) {
    const detail = `the body may have ${bodyBytesMax} bytes at most`;
    return problem(413, "body-too-large", "The body is too large", detail);
  }
  return type === "application/json" ? jsonFields(text) : formFields(text);
}

/** `undefined` when there is too much of it. */
async function boundedText(request: Request): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let length = 0;
  let text = "";
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > bodyBytesMax) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function formFields(text: string): ReadonlyMap<string, string> | Response {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) return invalid(`the field ${JSON.stringify(name)} is given twice`);
    fields.set(name, value);
  }
  return fields;
}

function jsonFields(text: string): ReadonlyMap<string, string> | Response {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return invalid("the body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return invalid("the body must be an object");
  }
  const fields = new Map<string, string>();
  for (const [name, field] of Object.entries(value)) {
    if (name === "session" && typeof field === "boolean") {
      if (field) fields.set(name, "true");
    } else if (typeof field !== "string") {
      if (name === "name" || name === "password") return invalid(`${name} must be a text`);
    } else fields.set(name, field);
  }
  return fields;
}
