/**
 * Reads what a request says: parameters of the query, cursors, what its body is. What is wrong is
 * thrown as a {@linkcode Problem} that names it.
 *
 * @module
 */
import type { PageQuery } from "./control.ts";
import { Problem, unknownEncoding, unknownType } from "./problem.ts";

/**
 * The parameters of a query. Repeated ones are refused; unknown ones too, when it is said which are
 * `allowed`.
 */
export function parametersOf(url: string, allowed?: readonly string[]): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URL(url).searchParams) {
    if (allowed?.includes(name) === false) {
      const known = allowed.length === 0 ? "there are none here" : `allowed: ${allowed.join(", ")}`;
      throw invalidParameter(name, `unknown parameter; ${known}`);
    }
    if (parameters.has(name)) throw invalidParameter(name, "given more than once");
    parameters.set(name, value);
  }
  return parameters;
}

export function invalidParameter(parameter: string, message: string): Problem {
  return new Problem("invalid-parameter", `${parameter}: ${message}`, {
    errors: [{ parameter, message }],
  });
}

/** The parameters that every list takes. */
export const pageParameters = ["limit", "cursor"] as const;

/** `limit` from 1 to 1000 (default 100), and the `cursor` of the page before. */
export function pageQuery(parameters: ReadonlyMap<string, string>): PageQuery {
  const limit = integer(parameters, "limit", { default: 100, min: 1, max: 1_000 });
  const cursor = parameters.get("cursor");
  return cursor === undefined ? { limit } : { limit, after: decodeCursor(cursor) };
}

export function integer(
  parameters: ReadonlyMap<string, string>,
  name: string,
  bounds: { readonly default: number; readonly min: number; readonly max: number },
): number {
  const text = parameters.get(name);
  if (text === undefined) return bounds.default;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= bounds.min && value <= bounds.max) return value;
  throw invalidParameter(name, `must be an integer from ${bounds.min} to ${bounds.max}`);
}

/** The place after which the next page begins, in a form that fits a URL. */
export function encodeCursor(after: string): string {
  return new TextEncoder().encode(after).toBase64({ alphabet: "base64url", omitPadding: true });
}

function decodeCursor(cursor: string): string {
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalidParameter("cursor", "must be the `next` of the page before");
  }
}

/** @throws {Problem} `unsupported-media-type` unless a body is JSON, and not packed. */
export function checkJson(headers: Headers): void {
  const type = headers.get("content-type");
  if (!/^application\/json\s*(;|$)/i.test(type ?? "")) {
    throw unknownType(type, ["application/json"]);
  }
  checkUnpacked(headers);
}

/** @throws {Problem} `unsupported-media-type` when a body is packed. */
export function checkUnpacked(headers: Headers): void {
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") throw unknownEncoding(encoding, "identity");
}
