/**
 * What the process's exit code means, after sysexits(3) where that has a word for it.
 *
 * @module
 */

export const exitCodes = {
  /** Drained and closed in good order. */
  ok: 0,
  /** Unknown command or flag. */
  usage: 64,
  /** A port is in use, or a listener could not be opened; the accounts' database does not answer. */
  unavailable: 69,
  /** A defect: an error that nothing handled, or shards that kept failing. */
  internal: 70,
  /** The data directory cannot be created or written, or another process uses it. */
  dataDir: 73,
  /** Shutdown passed a deadline: what was acknowledged is on disk, but the end was not in order. */
  deadline: 75,
  /** The configuration was refused. */
  config: 78,
  /** A second signal ended the process at once: 128 + the signal's number. */
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = typeof exitCodes[keyof typeof exitCodes];
