/**
 * Who sends readings, by the tokens in them: each is looked at where accounts are asked for, also
 * beside the token of the request, and all are of one account.
 *
 * @module
 */
import type { Claims } from "../../auth/token.ts";
import type { Caller } from "../callers.ts";
import { Problem, type ProblemType } from "../problem.ts";
import { tokenMissing, unauthorized } from "../guard.ts";

/** `undefined`: no account is asked for. @throws {Problem} `unauthorized`, or as `shownIn` does. */
export async function accountOf(
  tokens: Iterable<string>,
  caller: Caller,
  shownIn: (token: string, caller: Caller) => Promise<Claims>,
): Promise<Claims | undefined> {
  let { claims } = caller;
  if (claims === undefined && caller.isStranger !== true) return undefined;
  for (const token of tokens) {
    const shown = await shownIn(token, caller);
    if (claims !== undefined && shown.name !== claims.name) {
      throw unauthorized("the tokens of the request and its readings are of several accounts");
    }
    claims ??= shown;
  }
  if (claims === undefined) throw unauthorized(tokenMissing, "");
  return claims;
}

const aboutWhatCame: ReadonlySet<ProblemType> = new Set([
  "body-too-large",
  "invalid-body",
  "invalid-header",
  "invalid-parameter",
  "unsupported-media-type",
]);

/** What one is told who has shown no token: not what is wrong with what came. */
export function unseen(error: unknown): unknown {
  const isTold = error instanceof Problem && aboutWhatCame.has(error.type);
  if (!isTold) return error;
  const { type, message, members, headers } = unauthorized(tokenMissing, "");
  return new Problem(type, message, members, { ...error.headers, ...headers });
}
