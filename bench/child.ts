/**
 * A program of the bench in a process of its own.
 *
 * @module
 */
import { lineOf } from "./line_of.ts";

/** A process that ends with its scope. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
}

/** Runs `script`, beside this file, with deno's `flags`; resolves when it has said `ready`. */
export async function startChild(
  script: string,
  flags: readonly string[],
  args: readonly string[],
): Promise<Child> {
  const path = new URL(script, import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, path, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  await lineOf(child.stdout, "ready");
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}
