/**
 * Sluice run to its end, for starts that must fail.
 *
 * @module
 */
import { startFlags } from "./sluice.ts";

const root = new URL("../../", import.meta.url).pathname;
const deadlineMs = 120_000;

/** What a process ended with. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `main.ts <args>` until it ends by itself; one that starts after all is killed (143). */
export async function runSluice(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...startFlags, `${root}main.ts`, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", ...env },
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGTERM"), deadlineMs);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** A directory of a test's own, removed when disposed of. */
export async function temporaryDirectory(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "sluice_input_" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Runs Sluice to its end with a configuration file of this content. */
export async function runWithConfig(
  content: unknown,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended & { readonly file: string }> {
  await using directory = await temporaryDirectory();
  const file = `${directory.path}/sluice.json`;
  await Deno.writeTextFile(file, typeof content === "string" ? content : JSON.stringify(content));
  return { ...await runSluice(["--config", file], env), file };
}
