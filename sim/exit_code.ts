/**
 * What the simulator's exit code means, after sysexits(3) where that has a word for it.
 *
 * @module
 */

export const exitCodes = {
  ok: 0,
  /** `load`: not everything was acknowledged. `verify`: the store differs from the account. */
  failed: 1,
  /** Unknown command or flag, or a value that is not allowed. */
  usage: 64,
  /** A file that cannot be read, or does not say what it should. */
  input: 66,
  /** The service, the broker or the store cannot be reached, or refuses. */
  unavailable: 69,
  /** A defect of the simulator. */
  internal: 70,
} as const;

export type ExitCode = typeof exitCodes[keyof typeof exitCodes];

/** An error whose message says all that the user needs: shown without a stack. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
