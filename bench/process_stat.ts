/**
 * What the kernel says of a process: CPU time and memory.
 *
 * @module
 */

/** Kernel ticks a second: `getconf CLK_TCK`, 100 on every Linux that Deno runs on. */
const ticksPerS = 100;

/** Text of a file in /proc: Deno reads there itself only with all permissions (`-A`). */
export function procText(path: string): string {
  const { stdout, success } = new Deno.Command("cat", { args: [`/proc/${path}`] }).outputSync();
  if (!success) throw new Error(`cannot read /proc/${path}`);
  return new TextDecoder().decode(stdout);
}

/** User and system time of all threads so far, in s. */
export function cpuS(pid: number): number {
  const stat = procText(`${pid}/stat`);
  // The name in parentheses may hold anything; fields are counted from behind it (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerS;
}

/** Time that all cores together had nothing to do since the machine started, in s. */
export function idleS(): number {
  const [idle, iowait] = procText("stat").split("\n")[0]!.trim().split(/ +/).slice(4, 6);
  return (Number(idle) + Number(iowait)) / ticksPerS;
}

/** Resident memory, in bytes. */
export function rssBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(procText(`${pid}/status`))?.[1]) * 1_024;
}
