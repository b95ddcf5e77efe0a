/**
 * The accounts' database does not answer: no defect, and nothing that the one who asked did wrong.
 *
 * @module
 */

/** See the module; the cause has the server's or the system's own words. */
export class AccountsAwayError extends Error {
  override readonly name = "AccountsAwayError";

  /** `noRoom`: its disk is full, so nothing can be changed. */
  constructor(cause: Error, readonly noRoom = false) {
    super(`the accounts' database does not answer: ${cause.message}`, { cause });
  }
}

/**
 * Classes and codes of PostgreSQL's errors that are about the connection or the server, not about a
 * statement: it cannot be reached or logged in to, has no room, is being stopped or started.
 */
const serverStates = /^(08|28|3D|53|57P|58)/;

/** Whether an error of npm:postgres says so: the system's and the driver's own have words as codes. */
export function saysAway(error: Error): boolean {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return /^(E[A-Z]+|CONNECT_\w+|CONNECTION_\w+)$/.test(code) ||
    (error.name === "PostgresError" && serverStates.test(code));
}
