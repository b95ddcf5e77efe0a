/**
 * What senders see of a service that can take no more, over HTTP, a station's WebSocket and QoS 2.
 *
 * @module
 */
import assert from "node:assert/strict";
import { pause } from "./load_run.ts";
import { connectPacket, publishPacket, RawClient } from "./raw_mqtt.ts";
import { type Sluice, until } from "./sluice.ts";

/** Large, so that a few fill what the edge may have under way. */
const padding = "x".repeat(50_000);
const posts = 400;
const messages = 10;

/** Something that waits for the backpressure to end. */
export type Waiting = () => Promise<void>;

/** Posts readings until one is answered 429; those before it are to be settled in the end. */
export async function overHttp({ httpUrl }: Sluice): Promise<Waiting> {
  const answers: Promise<number>[] = [];
  let refused: Response | undefined;
  for (let i = 0; i < posts && refused === undefined; i++) {
    const body = JSON.stringify({ ts: Date.now() + i, seq: i, padding });
    const answer = fetch(`${httpUrl}/api/readings?topic=bench/post${i}`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
    answers.push(answer.then(async (response) => {
      const text = await response.text();
      if (response.status === 429) {
        refused = response;
        assert.match(text, /"taken":0/);
      }
      return response.status;
    }));
    await pause(20);
  }
  assert.ok(refused !== undefined, `none of ${answers.length} posts was answered 429`);
  assert.ok(Number(refused.headers.get("retry-after")) >= 1);
  return async () => {
    const statuses = await Promise.all(answers);
    // What was taken and not settled within 30 s is said to be so.
    assert.ok(statuses.every((status) => [204, 429, 503].includes(status)), statuses.join(" "));
    assert.ok(statuses.includes(429));
  };
}

/** What a station may have under way. */
const frames = 256;

/** A station sends readings: it gets credit 0 instead of acknowledgements. */
export async function overWebSocket({ httpUrl }: Sluice): Promise<Waiting> {
  const received: Record<string, unknown>[] = [];
  const socket = new WebSocket(`${httpUrl.replace(/^http/, "ws")}/ws`);
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.onmessage = ({ data }) => received.push(JSON.parse(String(data)));
  const came = (type: string, key = "type", value: unknown = type) => () =>
    received.some((frame) => frame.type === type && frame[key] === value);
  await new Promise((resolve) => socket.onopen = resolve);
  socket.send('{"type":"hello","station":"full"}');
  await until("the welcome", came("welcome"));
  // Devices of both shards.
  for (let id = 1; id <= frames; id++) {
    const payload = { ts: Date.now(), seq: id, padding };
    socket.send(JSON.stringify({ type: "reading", id, topic: `bench/frame${id}`, payload }));
  }
  await until("no credit", came("credit", "readings", 0));
  return async () => {
    await until("the acknowledgement", came("ack", "id", frames));
    await until("credit again", came("credit", "readings", frames));
    socket.close();
    await closed;
  };
}

/** Messages with QoS 2 until one gets no PUBREC: a shard may have found a little room. */
export async function overQos2({ mqttPort }: Sluice): Promise<Waiting> {
  const client = await RawClient.dial(mqttPort, 5);
  await client.send(connectPacket(5, "full"));
  assert.equal((await client.read())?.[0], 0x20);
  for (let packetId = 1; packetId <= messages; packetId++) {
    const payload = JSON.stringify({ ts: Date.now(), seq: packetId });
    await client.send(publishPacket(5, { topic: "bench/qos2full", payload, packetId, qos: 2 }));
    let pubrec: Uint8Array | undefined;
    const reading = client.read().then((packet) => pubrec = packet);
    await pause(1_000);
    const received = () => assert.deepEqual([...pubrec!.subarray(0, 4)], [0x50, 2, 0, packetId]);
    if (pubrec !== undefined) received();
    else {
      return async () => {
        await reading;
        received();
        client[Symbol.dispose]();
      };
    }
  }
  assert.fail(`each of ${messages} messages got its PUBREC`);
}
