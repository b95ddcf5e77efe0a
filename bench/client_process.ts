/**
 * Processes with many clients, and the limit of open files for who serves them.
 *
 * @module
 */
import { lineOf } from "./line_of.ts";
import { procText } from "./process_stat.ts";

const openFilesMax = 65_536;

/** The kernel's limit for a process that runs; Deno has taken as much as it might by itself. */
export async function raiseOpenFiles(pid: number): Promise<void> {
  const limit = /^Max open files\s+(\d+)/m.exec(procText(`${pid}/limits`));
  if (Number(limit?.[1]) >= openFilesMax) return;
  await new Deno.Command("prlimit", {
    args: ["--pid", String(pid), `--nofile=${openFilesMax}`],
    stdout: "null",
    stderr: "null",
  }).output(); // Where that is not allowed, fewer sessions than asked for will say so.
}

/** A process with so many silent clients; with `topics` each subscribes to one below it. */
export async function idleClients(
  port: number,
  count: number,
  topics = "",
): Promise<AsyncDisposable> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      new URL("./idle_clients.ts", import.meta.url).pathname,
      String(port),
      String(count),
      topics,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  await lineOf(child.stdout, "ready");
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}
