/**
 * Processes with many clients, and the limit of open files for who serves them.
 *
 * @module
 */
import { type Child, startChild } from "./child.ts";
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
export function idleClients(port: number, count: number, topics = ""): Promise<Child> {
  const flags = ["--no-prompt", "--allow-net=127.0.0.1"];
  return startChild("./idle_clients.ts", flags, [String(port), String(count), topics]);
}
