import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/message_of.ts";
import type { Acceptor, Arrival } from "./arrival.ts";
import type { TlsFiles } from "./certificate_watch.ts";
import { ReloadingAcceptor } from "./reloading_acceptor.ts";
import { MemoryConnection, settle } from "./testing.ts";

/** A listener that shows which pair it has by the peer it names. */
class FakeListener implements Acceptor {
  closed = false;
  readonly #pair: TlsFiles;
  #waiting: PromiseWithResolvers<Arrival> | undefined;

  constructor(pair: TlsFiles) {
    this.#pair = pair;
  }

  accept(): Promise<Arrival> {
    if (this.closed) return Promise.reject(new Error("closed"));
    return (this.#waiting = Promise.withResolvers<Arrival>()).promise;
  }

  arrive(): void {
    const connection = new MemoryConnection();
    this.#waiting?.resolve({ connection, peer: this.#pair.cert, transport: "mqtt" });
  }

  close(): void {
    this.closed = true;
    this.#waiting?.reject(new Error("closed"));
  }
}

function reloading({ atOnce = true } = {}) {
  const clock = new ManualClock();
  const listeners: FakeListener[] = [];
  const old: TlsFiles = { cert: "old", key: "old" };
  if (atOnce) listeners.push(new FakeListener(old));
  const files: { pair: TlsFiles | Error } = { pair: old };
  const told: string[] = [];
  const acceptor = new ReloadingAcceptor({
    first: listeners[0] && { files: old, acceptor: listeners[0] },
    read: () =>
      files.pair instanceof Error ? Promise.reject(files.pair) : Promise.resolve(files.pair),
    open: (pair) => {
      if (pair.cert !== pair.key) throw new Error(`${pair.cert} is not of ${pair.key}`);
      assert.notEqual(listeners.at(-1)?.closed, true, "nobody listens meanwhile");
      const listener = new FakeListener(pair);
      listeners.push(listener);
      return listener;
    },
    clock,
    everyMs: 1_000,
    reloaded: () => told.push("reloaded"),
    refused: (cause) => told.push(messageOf(cause)),
  });
  const look = async (): Promise<void> => {
    clock.advance(1_000);
    await settle();
  };
  return { clock, listeners, files, told, acceptor, look };
}

Deno.test("a new pair is listened with, and whoever waits notices nothing", async () => {
  const { clock, listeners, files, told, acceptor, look } = reloading();
  const first = acceptor.accept();
  await look();
  assert.equal(listeners.length, 1);
  files.pair = { cert: "new", key: "new" };
  await look();
  assert.deepEqual(listeners.map(({ closed }) => closed), [true, false]);
  assert.deepEqual(told, ["reloaded"]);
  listeners[1]?.arrive();
  assert.equal((await first).peer, "new");
  await look();
  assert.equal(listeners.length, 2);
  acceptor.close();
  assert.equal(clock.pending, 0);
  await assert.rejects(acceptor.accept(), /closed/);
});

Deno.test("a bad pair is told of once, and the old one stays until a good one comes", async () => {
  const { listeners, files, told, acceptor, look } = reloading();
  const first = acceptor.accept();
  files.pair = { cert: "new", key: "old" };
  await look();
  await look();
  files.pair = new Error("no such file");
  await look();
  await look();
  assert.deepEqual(told, ["new is not of old", "no such file"]);
  assert.deepEqual(listeners.map(({ closed }) => closed), [false]);
  listeners[0]?.arrive();
  assert.equal((await first).peer, "old");
  files.pair = { cert: "new", key: "new" };
  await look();
  assert.deepEqual(told.slice(2), ["reloaded"]);
  acceptor.close();
});

Deno.test("asked to look, it says what came of it, and tries again what it refused", async () => {
  const { listeners, files, told, acceptor, look } = reloading();
  assert.equal(await acceptor.look(), "same");
  files.pair = { cert: "new", key: "old" };
  await look();
  assert.equal(await acceptor.look(), "refused");
  assert.deepEqual(told, ["new is not of old", "new is not of old"]);
  files.pair = new Error("no such file");
  await look();
  assert.equal(await acceptor.look(), "refused");
  assert.deepEqual(told.slice(2), ["no such file", "no such file"]);
  files.pair = { cert: "new", key: "new" };
  assert.deepEqual(await Promise.all([acceptor.look(), acceptor.look()]), ["taken", "same"]);
  assert.equal(listeners.length, 2);
  acceptor.close();
});

Deno.test("an acceptor closed while the files are read listens no more", async () => {
  const { clock, listeners, files, told, acceptor } = reloading();
  files.pair = { cert: "new", key: "new" };
  clock.advance(1_000);
  acceptor.close();
  await settle();
  assert.deepEqual([listeners.length, listeners[0]?.closed, told], [1, true, []]);
  assert.equal(clock.pending, 0);
});

Deno.test("without a good pair at first, whoever waits is let in once there is one", async () => {
  const { clock, listeners, files, told, acceptor, look } = reloading({ atOnce: false });
  files.pair = { cert: "new", key: "old" };
  const first = acceptor.accept();
  await look();
  files.pair = { cert: "new", key: "new" };
  await look();
  assert.deepEqual(told, ["new is not of old", "reloaded"]);
  listeners[0]?.arrive();
  assert.equal((await first).peer, "new");
  acceptor.close();
  assert.equal(clock.pending, 0);
});

Deno.test("whoever waits for a first good pair is told that it is closed", async () => {
  const { acceptor } = reloading({ atOnce: false });
  const first = assert.rejects(acceptor.accept(), /closed/);
  acceptor.close();
  await first;
});
