/**
 * Stations store locally while they are offline and send when they are back: nothing missing,
 * nothing doubled, in order, whatever is cut or killed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { storedValues } from "../support/input.ts";
import {
  assertConserved,
  settledBooks,
  startFlags,
  startSluice,
  until,
} from "../support/sluice.ts";

const root = new URL("../../", import.meta.url).pathname;

/** A TCP relay in front of the service, which is the network that a test cuts. */
class Network implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  readonly #running: Promise<void>;
  #up = true;

  constructor(readonly target: number) {
    this.#running = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  cut(): void {
    this.#up = false;
    for (const connection of this.#open) this.#drop(connection);
  }

  restore(): void {
    this.#up = true;
  }

  async #accept(): Promise<void> {
    const relays: Promise<void>[] = [];
    try {
      for await (const near of this.#listener) {
        if (this.#up) relays.push(this.#relay(near));
        else near.close();
      }
    } finally {
      await Promise.all(relays);
    }
  }

  async #relay(near: Deno.TcpConn): Promise<void> {
    this.#open.add(near);
    try {
      const far = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
      this.#open.add(far);
      if (!this.#up) this.#drop(far);
      await Promise.allSettled([
        near.readable.pipeTo(far.writable),
        far.readable.pipeTo(near.writable),
      ]);
      this.#open.delete(far);
    } catch {
      this.#drop(near); // The service is away: so is what lies behind the network.
    }
    this.#open.delete(near);
  }

  #drop(connection: Deno.TcpConn): void {
    this.#open.delete(connection);
    try {
      connection.close();
    } catch {
      // It has ended by itself.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#listener.close();
    await this.#running;
  }
}

function startStation(port: number, queue: string, count: number): Deno.ChildProcess {
  const args = ["run", ...startFlags, `${root}sim/main.ts`, "station"].concat(
    ["--url", `ws://127.0.0.1:${port}/ws`, "--queue", queue, "--rate", "100", "--json"],
    ["--count", String(count)],
  );
  return new Deno.Command(Deno.execPath(), {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

Deno.test("a station loses nothing and doubles nothing: network cut, restarts, kill -9 of both", async () => {
  const count = 800;
  const dir = await Deno.makeTempDir();
  await using sluice = await startSluice({ config: { shards: 2 } });
  await using network = new Network(Number(new URL(sluice.httpUrl).port));
  const queue = `${dir}/queue`;
  let station = startStation(network.port, queue, count);
  const stored = async () => (await storedValues(sluice.httpUrl, "UPB~RPi_1")).length / 2;
  await until("some are stored", async () => await stored() > 50);
  network.cut();
  await pause(1_000);
  network.restore();
  await until("more are stored", async () => await stored() > 150);

  station.kill("SIGKILL");
  await station.output();
  station = startStation(network.port, queue, count);
  await until("still more are stored", async () => await stored() > 250);

  await sluice.process.kill();
  await pause(500);
  await sluice.process.restart();
  await until("after the kill", async () => await stored() > 400);
  assert.equal(await sluice.process.stop(), 0);
  await sluice.process.restart();

  const { code, stdout, stderr } = await station.output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, text + new TextDecoder().decode(stderr));
  assert.match(text, /"queued":0/);
  assertConserved(await settledBooks(sluice.httpUrl));
  const values = await storedValues(sluice.httpUrl, "UPB~RPi_1");
  const sequences = values.filter(({ metric }) => metric === "seq").map(({ value }) => value);
  assert.deepEqual(sequences, Array.from({ length: count }, (_, i) => i + 1));
  await Deno.remove(dir, { recursive: true });
});
