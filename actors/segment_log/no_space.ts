/**
 * Whether a disk refused for want of room, which is its owner's to mend and passes.
 *
 * @module
 */

/** True for `ENOSPC`, and for `EDQUOT`, a user's share of the disk. */
export function isNoSpace(cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT";
}

/** What is left of the disk is another's. */
export class NoSpaceLeftError extends Error {
  readonly code = "ENOSPC";
}
