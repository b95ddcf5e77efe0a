/**
 * A configuration fit to be shown: without secrets, also those inside URLs.
 *
 * @module
 */
import type { Node } from "./option.ts";

/** A copy of `value`, which the table's `node` describes, with every secret as `***`. */
export function masked(node: Node, value: unknown): unknown {
  if (node.kind === "option") return node.secret === true ? "***" : withoutPasswords(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, below]) => {
      const child = Object.hasOwn(node.keys, key) ? node.keys[key] : undefined;
      return [key, child === undefined ? below : masked(child, below)];
    }),
  );
}

function withoutPasswords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPasswords);
  return typeof value === "string" ? maskUrl(value) : value;
}

/**
 * The URL, also a malformed one or one without its scheme, with `***` for the password and for
 * query values that name a secret; other text stays.
 */
export function maskUrl(text: string): string {
  const isUrl = /^[^:]*:\/\/(?!.*:\/\/)/s.test(text) && URL.canParse(text);
  // The password of what is no URL, or several, may hold anything: all up to the last @ counts as it.
  const password = isUrl
    ? /^(\s*[a-z][a-z0-9+.-]*:\/\/[^/?#]*?):[^/?#]*@/i
    : /^((?:\s*[a-z][a-z0-9+.-]*:[/\\]+)?[^/?#@]*?):.*@/is;
  return text
    .replace(password, "$1:***@")
    .replace(/([?&](?:p|pass|password|token|secret|key)=)[^&#]*/gi, "$1***");
}
