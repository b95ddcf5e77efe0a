/**
 * Whether a file is not there, as when somebody removed it by hand.
 *
 * @module
 */

/** True for `ENOENT`. */
export function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}
