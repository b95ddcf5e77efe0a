/**
 * The body of a request as JSON, or as an object of known keys. What is wrong with it is thrown as a
 * {@linkcode Problem} that says where.
 *
 * @module
 */
import { jsonFault } from "./json_fault.ts";
import { Problem } from "./problem.ts";
import { checkJson } from "./request.ts";

/** Largest body of a request that is not a reading. */
const bodyBytesMax = 64 * 1024;

/** The body says what it may not. */
export const invalidBody = (what: string): Problem => new Problem("invalid-body", what);

/** The body as an object, which may have these keys and no others. */
export async function jsonObject(
  request: Request,
  allowed: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const body = await jsonBody(request);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalidBody("the body must be an object");
  }
  const unknown = Object.keys(body).find((key) => !allowed.includes(key));
  if (unknown !== undefined) {
    throw invalidBody(`unknown key ${JSON.stringify(unknown)}; allowed: ${allowed.join(", ")}`);
  }
  return { ...body };
}

/** The body as JSON; `undefined` when there is none. */
export async function jsonBody(request: Request): Promise<unknown> {
  const bytes = await boundedBody(request);
  if (bytes.length === 0) return undefined;
  checkJson(request.headers);
  return parsedJson(bytes);
}

/** @throws {Problem} `invalid-body`. */
export function parsedJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalidBody("the body is not JSON: it is not UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw invalidBody(`the body is not JSON: ${jsonFault(text)}`);
  }
}

async function boundedBody(request: Request): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > bodyBytesMax) {
      throw new Problem("body-too-large", `the body may have ${bodyBytesMax} bytes at most`);
    }
    chunks.push(chunk);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
