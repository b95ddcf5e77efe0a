/**
 * A crash as data: what is kept of an error that an actor threw, in a form that can be shown,
 * counted and sent to another Worker.
 *
 * @module
 */

/** What is known about a crash. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Wall time, ms since the epoch. */
  readonly atMs: number;
}

const messageCharsMax = 1_000;
const stackCharsMax = 4_000;

/** Keeps the bounded essentials of anything that was thrown. */
export function failureOf(thrown: unknown, atMs: number): Failure {
  if (!(thrown instanceof Error)) {
    return { name: "NonError", message: shown(thrown).slice(0, messageCharsMax), atMs };
  }
  const base = { name: thrown.name, message: thrown.message.slice(0, messageCharsMax), atMs };
  return thrown.stack === undefined
    ? base
    : { ...base, stack: thrown.stack.slice(0, stackCharsMax) };
}

/** Where it was thrown: the first line of its stack that names a place in a file. */
export function failurePlace({ stack }: Failure): string | undefined {
  return stack?.match(/^ +at (.*:\d+:\d+\)?)$/m)?.[1];
}

function shown(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    // Its own toString throws, or it has none: the crash that is being reported matters more.
    return "a value that cannot be shown";
  }
}
