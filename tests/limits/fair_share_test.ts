/**
 * One device at full speed beside fifty that send now and then: what these publish is acknowledged,
 * all of it and soon, with a rate and without. Progress is asserted, not speed.
 */
import assert from "node:assert/strict";
import { publishPacket, RawClient } from "../support/raw_mqtt.ts";
import { assertConserved, books, type Sluice, startSluice } from "../support/sluice.ts";

const devices = 50;
const messagesEach = 30;
const pauseMs = 100;
/** Far above what is measured on two busy cores, far below what a queue of the hot device's takes. */
const ackMsMax = 2_000;
/** QoS 1 messages of the hot device that wait for their acknowledgement. */
const windowSize = 100;

/** Publishes flat out, QoS 0 and QoS 1, until it is aborted; gives how many with QoS 1 were acked. */
function hotDevice(client: RawClient, qos: 0 | 1, signal: AbortSignal): Promise<number> {
  let next = 0;
  let acked = 0;
  const write = async () => {
    while (!signal.aborted) {
      if (qos === 1 && next - acked >= windowSize) {
        await new Promise<void>((resolve) => setTimeout(resolve));
        continue;
      }
      const packetId = qos === 0 ? 0 : next % 0xffff + 1;
      next++;
      await client.send(
        publishPacket(4, { topic: `UPB/hot_${qos}`, payload: `{"TMP":${next}}`, packetId }),
      );
    }
  };
  const read = async () => {
    while (qos === 1 && await client.read() !== undefined) acked++;
  };
  const reading = read();
  return write().catch((cause: unknown) => {
    if (!signal.aborted) throw cause;
  }).then(async () => {
    client[Symbol.dispose]();
    await reading.catch(() => {});
    return acked;
  });
}

/** Times from PUBLISH to PUBACK of a device that sends ten a second, ms. */
async function modestDevice(client: RawClient, index: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < messagesEach; n++) {
    const startMs = performance.now();
    assert.equal(await client.publish(`UPB/modest_${index}`, `{"TMP":${n}}`), 0);
    times.push(performance.now() - startMs);
    await new Promise<void>((resolve) => setTimeout(resolve, pauseMs));
  }
  return times;
}

async function measure(sluice: Sluice): Promise<{ hotAcked: number; times: number[] }> {
  const hot = new AbortController();
  const hotClients = await Promise.all([0, 1].map(() => RawClient.connect(sluice.mqttPort)));
  const modest = await Promise.all(
    Array.from({ length: devices }, () => RawClient.connect(sluice.mqttPort)),
  );
  const flatOut = [
    hotDevice(hotClients[0]!, 0, hot.signal),
    hotDevice(hotClients[1]!, 1, hot.signal),
  ];
  const times = (await Promise.all(modest.map(modestDevice))).flat();
  hot.abort();
  // One that is held back is in the middle of a write.
  for (const client of [...modest, ...hotClients]) client[Symbol.dispose]();
  const [, hotAcked = 0] = await Promise.all(flatOut);
  return { hotAcked, times: times.sort((a, b) => a - b) };
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
    const { hotAcked, times } = await measure(sluice);
    assert.equal(times.length, devices * messagesEach, "all of them are acknowledged");
    const p99 = times[Math.floor(times.length * 0.99)]!;
    assert.ok(p99 < ackMsMax, `1 of 100 takes ${p99} ms`);
    assert.ok(hotAcked > 0, "the hot one is served too");
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
