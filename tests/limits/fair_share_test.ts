/**
 * One device at full speed beside fifty that send now and then: what these publish is acknowledged,
 * all of it, with a rate and without, and not behind all that the hot one sends. How many of the
 * hot one's messages overtake one of theirs is counted; how long that takes is the machine's affair.
 */
import assert from "node:assert/strict";
import { publishPacket, RawClient } from "../support/raw_mqtt.ts";
import { assertConserved, books, type Sluice, startSluice } from "../support/sluice.ts";

const devices = 50;
const messagesEach = 30;
const pauseMs = 100;
/** QoS 1 messages of the hot device that wait for their acknowledgement. */
const windowSize = 100;
/** Windows of the hot device that may go by; one to three do, busy machine or not. */
const overtakenMax = 10 * windowSize;

/** What the hot device with QoS 1 was acknowledged. */
interface Hot {
  acked: number;
}

/** Publishes flat out, QoS 0 or QoS 1, until it is aborted. */
async function hotDevice(
  client: RawClient,
  qos: 0 | 1,
  hot: Hot,
  signal: AbortSignal,
): Promise<void> {
  const read = async () => {
    while (qos === 1 && await client.read() !== undefined) hot.acked++;
  };
  const write = async () => {
    for (let next = 0; !signal.aborted;) {
      if (qos === 1 && next - hot.acked >= windowSize) {
        await new Promise<void>((resolve) => setTimeout(resolve));
        continue;
      }
      const packetId = qos === 0 ? 0 : next % 0xffff + 1;
      next++;
      const fields = { topic: `UPB/hot_${qos}`, payload: `{"TMP":${next}}`, packetId };
      await client.send(publishPacket(4, fields)).catch((cause: unknown) => {
        // It is held back in the middle of a write, and closed.
        if (!signal.aborted) throw cause;
      });
    }
  };
  await Promise.all([read(), write()]);
}

/** A device that sends ten a second; gives how many of the hot one's overtook each message. */
async function modestDevice(client: RawClient, index: number, hot: Hot): Promise<number[]> {
  const overtaken: number[] = [];
  for (let n = 0; n < messagesEach; n++) {
    const before = hot.acked;
    assert.equal(await client.publish(`UPB/modest_${index}`, `{"TMP":${n}}`), 0);
    overtaken.push(hot.acked - before);
    await new Promise<void>((resolve) => setTimeout(resolve, pauseMs));
  }
  return overtaken;
}

async function measure(sluice: Sluice): Promise<{ hot: Hot; overtaken: number[] }> {
  const hot: Hot = { acked: 0 };
  const over = new AbortController();
  const hotClients = await Promise.all([0, 1].map(() => RawClient.connect(sluice.mqttPort)));
  const modest = await Promise.all(
    Array.from({ length: devices }, () => RawClient.connect(sluice.mqttPort)),
  );
  const end = () => {
    over.abort();
    for (const client of [...modest, ...hotClients]) client[Symbol.dispose]();
  };
  const [overtaken] = await Promise.all([
    Promise.all(modest.map((client, i) => modestDevice(client, i, hot))).finally(end),
    hotDevice(hotClients[0]!, 0, hot, over.signal),
    hotDevice(hotClients[1]!, 1, hot, over.signal),
  ]);
  return { hot, overtaken: overtaken.flat().toSorted((a, b) => a - b) };
}

/** What a device may send, in the second test. */
const perSecond = 200;

for (const rate of [undefined, `${perSecond}:1`]) {
  Deno.test(`a device at full speed starves nobody, ${rate === undefined ? "without" : "with"} a rate`, async () => {
    await using sluice = await startSluice({
      config: {
        shards: 2,
        ...(rate !== undefined && { limits: { rates: { device: { messages: rate } } } }),
      },
    });
    const startMs = performance.now();
    const { hot, overtaken } = await measure(sluice);
    assert.equal(overtaken.length, devices * messagesEach, "all of them are acknowledged");
    const p99 = overtaken[Math.floor(overtaken.length * 0.99)]!;
    assert.ok(p99 < overtakenMax, `1 of 100 is overtaken by ${p99} of ${hot.acked}`);
    assert.ok(hot.acked > 0, "the hot one is served too");
    // With a rate, what the hot one left in its socket is still being taken.
    const now = await books(sluice.httpUrl);
    assertConserved(now);
    assert.ok(now.received > devices * messagesEach);
    if (rate !== undefined) {
      const most = 2 * perSecond * (1 + (performance.now() - startMs) / 1_000);
      assert.ok(now.received - devices * messagesEach <= most, `at most ${most} of the hot ones`);
    }
  });
}
