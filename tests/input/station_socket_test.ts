/**
 * Stations over WebSocket.
 *
 * @module
 */
import assert from "node:assert/strict";
import { storedSeries, storedValues } from "../support/input.ts";
import { assertConserved, metrics, settledBooks, startSluice, until } from "../support/sluice.ts";

type Frame = Readonly<Record<string, unknown>>;

/** A station's end of the connection. */
class Client implements AsyncDisposable {
  readonly frames: Frame[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly #socket: WebSocket;
  readonly #ended = Promise.withResolvers<void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.frames.push(JSON.parse(String(data)));
    socket.onclose = ({ code, reason }) => {
      this.closed = { code, reason };
      this.#ended.resolve();
    };
  }

  static async open(httpUrl: string): Promise<Client> {
    const socket = new WebSocket(`${httpUrl.replace("http", "ws")}/ws`);
    const client = new Client(socket);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error("no connection"));
    });
    return client;
  }

  send(frame: unknown): void {
    this.#socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  sendBytes(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(bytes);
  }

  of(type: string): Frame[] {
    return this.frames.filter((frame) => frame["type"] === type);
  }

  async ended(): Promise<number | undefined> {
    await this.#ended.promise;
    return this.closed?.code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close();
    await this.#ended.promise;
  }
}

Deno.test("readings are acknowledged one by one and in batches; what is not taken is named", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  await using client = await Client.open(sluice.httpUrl);
  client.send({ type: "hello", station: "roof" });
  await until("welcome", () => client.of("welcome").length > 0);
  client.send('{"name":"roof","temperature":21.50,"timestamp":1700000000,"token":"t"}');
  client.send({ type: "reading", id: 7, topic: "UPB/RPi_1", payload: { BAT: 99 } });
  client.send({
    type: "batch",
    id: "b",
    items: [{ uuid: "u", value: 1 }, { topic: "UPB/RPi_2", payload: [1] }, { x: 1 }],
  });
  client.send({ type: "ping" });
  await until("all acknowledged", () => client.of("ack").length === 3);
  const [number, reading, batch] = ["number", "id", "rejected"].map((key) =>
    client.of("ack").find((frame) => key in frame && (key !== "id" || frame["id"] === 7))
  );
  assert.equal(number?.["number"], 1);
  assert.deepEqual(reading, { type: "ack", id: 7 });
  assert.equal(batch?.["id"], "b");
  assert.match(JSON.stringify(batch), /"index":[12].*"(no_topic|not_an_object)".*"index":[12]/);
  assert.equal(client.of("pong").length, 1);
  assertConserved(await settledBooks(sluice.httpUrl));
  assert.deepEqual(await storedSeries(sluice.httpUrl), [
    "UPB~RPi_1.BAT=99",
    "u.value=1",
    "weather~roof.temperature=21.5",
  ]);
  const sum = await metrics(sluice.httpUrl);
  assert.equal(sum("sluice_sessions", 'transport="websocket"'), 1);
});

Deno.test("what a station sends again after a cut or a kill -9 is stored once", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  const send = async (ids: readonly number[]) => {
    await using client = await Client.open(sluice.httpUrl);
    client.send({ type: "hello", station: "s" });
    for (const id of ids) {
      client.send({ type: "reading", id, topic: "a/s", payload: { v: id % 2 } });
    }
    await until("acknowledged", () => client.of("ack").length === ids.length);
  };
  await send([1, 2, 3, 4]);
  await send([3, 4, 5]);
  await sluice.process.kill();
  await sluice.process.restart();
  await send([4, 5, 6]);
  assertConserved(await settledBooks(sluice.httpUrl));
  const values = await storedValues(sluice.httpUrl, "a~s");
  assert.deepEqual(values.map(({ value }) => value), [1, 0, 1, 0, 1, 0]);
});

Deno.test("a station answers commands", async () => {
  await using sluice = await startSluice({ config: { shards: 1 } });
  await using client = await Client.open(sluice.httpUrl);
  client.send({ type: "hello", station: "roof/1" });
  await until("welcome", () => client.of("welcome").length > 0);
  const command = async (station: string) => {
    const answer = await fetch(`${sluice.httpUrl}/api/stations/${station}/commands`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"set":"interval"}',
    });
    return { status: answer.status, body: await answer.text() };
  };
  const asked = command("roof%2F1");
  await until("the command", () => client.of("command").length > 0);
  const [told] = client.of("command");
  assert.deepEqual(told?.["command"], { set: "interval" });
  client.send({ type: "result", id: told?.["id"], result: { ok: true } });
  assert.deepEqual(await asked, { status: 200, body: '{"result":{"ok":true}}' });
  assert.equal((await command("other")).status, 404);
});

Deno.test("who breaks the rules is told and cut off, and nobody else notices", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  await using good = await Client.open(sluice.httpUrl);
  const codeOf = async (misbehave: (client: Client) => void): Promise<number | undefined> => {
    await using client = await Client.open(sluice.httpUrl);
    misbehave(client);
    return await client.ended();
  };
  assert.equal(await codeOf((client) => client.send("no json")), 4400);
  assert.equal(await codeOf((client) => client.send("[1]")), 4400);
  assert.equal(await codeOf((client) => client.sendBytes(Uint8Array.of(1))), 1003);
  assert.equal(await codeOf((client) => client.send(`{"x":"${"x".repeat(600_000)}"}`)), 1009);
  const flood = await codeOf((client) => {
    for (let i = 0; i < 5_000; i++) client.send({ topic: "a/b", payload: { i } });
  });
  // The client is still writing when the other side has gone: it may not hear why.
  assert.ok(flood === 4429 || flood === 1006 || flood === 0, String(flood));
  const plain = await fetch(`${sluice.httpUrl}/ws`);
  await plain.body?.cancel();
  assert.equal(plain.status, 426);
  const foreign = await fetch(`${sluice.httpUrl}/ws`, {
    headers: { upgrade: "websocket", origin: "http://evil.example" },
  });
  await foreign.body?.cancel();
  assert.ok(foreign.status >= 400);
  good.send({ type: "reading", id: 1, topic: "good/one", payload: { v: 1 } });
  await until("the good one", () => good.of("ack").length === 1);
  assert.ok(!sluice.process.log.includes("a Worker failed"), sluice.process.log);
  assertConserved(await settledBooks(sluice.httpUrl));
});

Deno.test("a shutdown acknowledges what was taken, and says goodbye", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  await using client = await Client.open(sluice.httpUrl);
  for (let i = 0; i < 100; i++) {
    client.send({ type: "reading", id: i, topic: "a/b", payload: { i } });
  }
  await until("the first", () => client.of("ack").length > 0);
  assert.equal(await sluice.process.stop(), 0);
  assert.equal(await client.ended(), 1001);
});
