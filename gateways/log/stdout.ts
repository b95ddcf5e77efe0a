/**
 * The standard output of a thread. Each write is as much as the system takes at once, so that lines
 * of several threads do not mix.
 *
 * @module
 */
import { LineWriter } from "./line_writer.ts";

/** What the service says while it runs. It goes on when nobody can be told. */
export const stdoutLines = new LineWriter((bytes) => Deno.stdout.writeSync(bytes));

/** The output of a command, which has failed when it cannot be written: throws what the system does. */
export function writeStdout(text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}
