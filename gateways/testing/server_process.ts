/**
 * One real server as a test sees it: started on a free port with a directory of its own, and
 * stopped, killed, paused and started again on the same port and data, as a fault test needs it.
 *
 * @module
 */

/** How to run one kind of server. */
export interface ServerSpec {
  /** The Debian package, for messages. */
  readonly name: string;
  /** The scheme of {@linkcode ServerProcess.url}. */
  readonly scheme: string;
  /** Called before each start; may write configuration into `dir`. */
  command(port: number, dir: string): Promise<ServerCommand>;
  /** Whether the server answers; `log` is what it wrote. May throw or reject, which means no. */
  ready(port: number, log: string): boolean | Promise<boolean>;
  /** The signal that ends it in good order; default `SIGTERM`. */
  readonly stopSignal?: Deno.Signal;
}

/** A program with its arguments and environment. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Far more than any start needs: a host that stands still for a while is nobody's failure. */
const readyDeadlineMs = 120_000;
const stopDeadlineMs = 60_000;
const startTries = 3;
const portsFrom = 12_000;
const portsCount = 20_000;
const portTries = 100;
const logCharsKept = 64_000;

/** A running server. Dispose of it (`await using`) to end it and to remove its directory. */
export class ServerProcess implements AsyncDisposable {
  readonly host = "127.0.0.1";
  readonly #spec: ServerSpec;
  #running: Running | undefined;

  private constructor(spec: ServerSpec, readonly port: number, readonly dir: string) {
    this.#spec = spec;
  }

  /** Starts a server in a new temporary directory and waits until it answers. */
  static async start(spec: ServerSpec): Promise<ServerProcess> {
    for (let tries = 1;; tries++) {
      const dir = await Deno.makeTempDir({ prefix: `sluice_${spec.name}_` });
      const server = new ServerProcess(spec, freePort(), dir);
      try {
        await server.restart();
        return server;
      } catch (cause) { // The port may have been taken meanwhile: another one.
        await server[Symbol.asyncDispose]();
        if (tries === startTries) throw cause;
      }
    }
  }

  /** Where clients connect: scheme, host and port. */
  get url(): string {
    return `${this.#spec.scheme}://${this.host}:${this.port}`;
  }

  /** The process id, for CPU and memory figures. Throws while the server is down. */
  get pid(): number {
    if (this.#running === undefined) throw new Error(`${this.#spec.name} is not running`);
    return this.#running.child.pid;
  }

  /** False once it ended, by whatever cause. */
  get alive(): boolean {
    return this.#running?.exited === false;
  }

  /** Memory that it occupies now, in bytes. Throws while the server is down. */
  async residentBytes(): Promise<number> {
    // Deno itself reads /proc with all permissions only.
    const cat = new Deno.Command("cat", { args: [`/proc/${this.pid}/status`] });
    const status = new TextDecoder().decode((await cat.output()).stdout);
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024;
  }

  /** The end of what the running server wrote to stdout and stderr. */
  get log(): string {
    return this.#running?.log.text ?? "";
  }

  /**
   * Ends it in good order and keeps its data; kills it when that takes too long. Gives its exit
   * code; `undefined` when it was not running.
   */
  async stop(): Promise<number | undefined> {
    const running = this.#running;
    if (running === undefined) return undefined;
    const timer = setTimeout(() => signal(running.child, "SIGKILL"), stopDeadlineMs);
    const { code } = await this.#end(running, this.#spec.stopSignal ?? "SIGTERM");
    clearTimeout(timer);
    return code;
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    if (this.#running !== undefined) await this.#end(this.#running, "SIGKILL");
  }

  /** SIGSTOP: connections stay open, nothing is answered. */
  pause(): void {
    if (this.#running !== undefined) signal(this.#running.child, "SIGSTOP");
  }

  /** SIGCONT. */
  resume(): void {
    if (this.#running !== undefined) signal(this.#running.child, "SIGCONT");
  }

  /** Starts it (again) on the same port and data and waits until it answers. */
  async restart(): Promise<void> {
    await this.stop();
    const { program, args, env } = await this.#spec.command(this.port, this.dir);
    const child = new Deno.Command(program, {
      args: [...args],
      ...(env === undefined ? {} : { env: { ...env } }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const log = { text: "" };
    const running: Running = {
      child,
      log,
      drained: Promise.all([keepTail(child.stdout, log), keepTail(child.stderr, log)]),
      exited: false,
    };
    child.status.then(() => running.exited = true);
    this.#running = running;
    await this.#untilReady(running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.dir, { recursive: true });
  }

  async #untilReady(running: Running): Promise<void> {
    const deadlineMs = performance.now() + readyDeadlineMs;
    while (!await this.#isReady(running)) {
      if (!running.exited && performance.now() < deadlineMs) {
        await new Promise((done) => setTimeout(done, 20));
        continue;
      }
      const what = running.exited
        ? "exited at once"
        : `was not ready in ${readyDeadlineMs} ms, with threads\n${await threadsOf(this.pid)}`;
      await this.kill();
      throw new Error(`${this.#spec.name} on port ${this.port} ${what}: ${running.log.text}`);
    }
    if (running.exited) throw new Error(`${this.#spec.name} exited: ${running.log.text}`);
  }

  async #isReady({ log }: Running): Promise<boolean> {
    try {
      return await this.#spec.ready(this.port, log.text);
    } catch {
      return false;
    }
  }

  async #end(running: Running, how: Deno.Signal): Promise<Deno.CommandStatus> {
    signal(running.child, how);
    signal(running.child, "SIGCONT"); // A paused process cannot end in good order.
    const status = await running.child.status;
    await running.drained;
    this.#running = undefined;
    return status;
  }
}

interface Running {
  readonly child: Deno.ChildProcess;
  readonly log: { text: string };
  readonly drained: Promise<unknown>;
  exited: boolean;
}

/**
 * A loopback port that nobody listens on just now. It is below those that the kernel gives to
 * outgoing connections, so that none of them takes it while a server is being restarted.
 */
export function freePort(): number {
  for (let tries = 1;; tries++) {
    const port = portsFrom + Math.floor(Math.random() * portsCount);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (cause) {
      if (!(cause instanceof Deno.errors.AddrInUse) || tries === portTries) throw cause;
    }
  }
}

/** What each thread of a process does: its name, its state, its CPU time, and what it waits in. */
async function threadsOf(pid: number): Promise<string> {
  const shell = new Deno.Command("sh", {
    args: ["-c", `cd /proc/${pid}/task && for t in *; do cat $t/stat $t/wchan; echo; done`],
  });
  return new TextDecoder().decode((await shell.output()).stdout);
}

function signal(child: Deno.ChildProcess, how: Deno.Signal): void {
  try {
    child.kill(how);
  } catch (cause) { // Already gone is what every caller wants anyway.
    if (!(cause instanceof TypeError) && !(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}

async function keepTail(stream: ReadableStream<Uint8Array>, log: { text: string }): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    log.text = (log.text + decoder.decode(chunk, { stream: true })).slice(-logCharsKept);
  }
}
