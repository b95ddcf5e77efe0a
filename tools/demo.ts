/**
 * `deno task demo`: the service, and as soon as it is ready a simulated fleet that sends to it. The
 * end of one is the end of the other: the fleet first, so that the service has nothing to drain.
 * Flags go to the fleet (`deno task demo --devices 200`), variables to both.
 *
 * @module
 */

const root = new URL("../", import.meta.url).pathname;
function run(task: string, args: readonly string[], stdout: "piped" | "null"): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", task, ...args],
    cwd: root,
    stdin: "null",
    stdout,
    stderr: "inherit",
  }).spawn();
}

function end(child: Deno.ChildProcess | undefined, signal: Deno.Signal): void {
  try {
    child?.kill(signal);
  } catch (cause) { // It has ended by itself.
    if (!(cause instanceof TypeError)) throw cause;
  }
}

const service = run("start", [], "piped");
let fleet: Deno.ChildProcess | undefined;
let mqtt: string | undefined;
let ending = false;

// A Ctrl-C reaches both from the terminal; what reaches only this process is passed on. Either way
// the service drains, and its exit code is the demo's.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    ending = true;
    end(fleet, signal);
    end(service, signal);
  });
}

/** Passes a line of the service on, and starts the fleet once it is ready. */
function take(line: string): void {
  write(`${line}\n`);
  mqtt ??= /^MQTT +(mqtt:\S+)$/.exec(line)?.[1];
  if (fleet !== undefined || !/^sluice \S+ is ready$/.test(line)) return;
  if (mqtt === undefined) return write("demo       no fleet: there is no MQTT endpoint\n");
  fleet = run("sim", ["fleet", "--url", mqtt, "--quiet", ...Deno.args], "null");
  write("demo       a simulated fleet is sending\n");
  fleet.status.then(({ code }) => {
    if (ending) return;
    if (code !== 0) write(`demo       the fleet ended with exit code ${code}\n`);
    end(service, "SIGTERM");
  });
}

function write(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

let rest = "";
for await (const text of service.stdout.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) take(line);
}
if (rest !== "") write(rest);
ending = true;
const { code } = await service.status;
end(fleet, "SIGTERM");
await fleet?.status;
Deno.exit(code);
