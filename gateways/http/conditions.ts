/**
 * Conditions of a request: what `If-Match` and its like say of the value that is there (RFC 9110
 * §13).
 *
 * @module
 */
import { Problem } from "./problem.ts";

/** What tells a value from the one before. */
export interface Validators {
  /** Strong, in its quotes. */
  readonly tag: string;
  /** When it came, wall time in ms; absent: nobody knows. */
  readonly atMs?: number | undefined;
}

/** `known`: 304, the client has the value already. `failed`: 412, nothing is done. */
export type Verdict = "go" | "known" | "failed";

const dated = ["if-unmodified-since", "if-modified-since"] as const;
const tagged = ["if-match", "if-none-match"] as const;

/** Whether a request says on what it depends. */
export const isConditional = (headers: Headers): boolean =>
  [...tagged, ...dated].some((name) => headers.has(name));

/**
 * Decides in the order of RFC 9110 §13.2.2.
 *
 * @param current of the value that `GET` would answer with; `undefined`: it would be 404.
 * @param wanted the tag of what a change would leave. Where that is the value already, `If-Match`
 * holds: the change may have been made by the same request before (RFC 9110 §13.1.1). It holds for a
 * `DELETE`, too, where there is no value.
 * @throws {Problem} `invalid-header`, when a list of tags is none.
 */
export function verdictOf(
  { method, headers }: Pick<Request, "method" | "headers">,
  current: Validators | undefined,
  wanted?: string,
): Verdict {
  const reads = method === "GET" || method === "HEAD";
  const match = tagsOf(headers, "if-match");
  const noneMatch = tagsOf(headers, "if-none-match");
  const seconds = current?.atMs === undefined ? NaN : Math.floor(current.atMs / 1_000) * 1_000;
  const since = (name: (typeof dated)[number]) => Date.parse(headers.get(name) ?? "");
  if (match !== undefined) {
    // Strong comparison: a weak tag matches nothing.
    // Gone is what a DELETE of that one value wants: its answer may have been lost.
    if (current === undefined) return method === "DELETE" && match !== "*" ? "go" : "failed";
    if (match !== "*" && ![...match, wanted].includes(current.tag)) return "failed";
  } else if (seconds > since("if-unmodified-since")) {
    return "failed";
  }
  if (noneMatch !== undefined) {
    const isOne = current !== undefined &&
      (noneMatch === "*" || noneMatch.some((tag) => tag.replace(/^W\//, "") === current.tag));
    if (isOne) return reads ? "known" : "failed";
  } else if (reads && seconds <= since("if-modified-since")) {
    return "known";
  }
  return "go";
}

const tag = String.raw`(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`;
/** Empty elements are ignored (RFC 9110 §5.6.1.2); one tag there must be. */
const list = new RegExp(`^[ \\t,]*${tag}(?:[ \\t]*,[ \\t,]*${tag})*[ \\t,]*$`);

function tagsOf(headers: Headers, name: (typeof tagged)[number]): "*" | string[] | undefined {
  const text = headers.get(name);
  if (text === null) return undefined;
  if (text.trim() === "*") return "*";
  if (!list.test(text)) {
    throw new Problem("invalid-header", `${name} must be * or ETags, each in its double quotes`);
  }
  return text.match(new RegExp(tag, "g")) ?? [];
}
