/**
 * The log of the data flow (contracts §6), to the letter.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testWith } from "../../gateways/testing/programs.ts";
import { publish } from "../support/input.ts";
import { RawClient } from "../support/raw_mqtt.ts";
import { settledBooks, type Sluice, startSluice, trapRoute, until } from "../support/sluice.ts";

const clock = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /;

/** Stdout's lines of the data flow, without their clock, once the last one named is there. */
async function flow(sluice: Sluice, last: string): Promise<string[]> {
  await until(`the log says ${last}`, () => sluice.process.log.includes(last));
  return sluice.process.log.split("\n").filter((line) => clock.test(line))
    .map((line) => line.replace(clock, ""));
}

testWith(["mosquitto_pub"], "DEBUG_DATA_FLOW=true logs each message to the letter", async () => {
  await using sluice = await startSluice({
    env: { DEBUG_DATA_FLOW: "true" },
    config: { routes: [trapRoute] },
  });
  const { mqttPort } = sluice;
  const before = Date.now();
  await publish(
    mqttPort,
    "UPB/RPi_1",
    '{"BAT":99,"HUMID":40,"PRJ":"SPRC","TMP":25.3,"status":"OK","timestamp":"2019-11-27T20:35:57+02:00"}',
  );
  assert.deepEqual(await flow(sluice, "UPB.RPi_1.TMP"), [
    "Received a message by topic [UPB/RPi_1]",
    "Data timestamp is: 2019-11-27T20:35:57+02:00",
    "UPB.RPi_1.BAT 99",
    "UPB.RPi_1.HUMID 40",
    "UPB.RPi_1.TMP 25.3",
  ]);
  // The clock is the service's own, in UTC and whole seconds.
  const times = sluice.process.log.split("\n").filter((line) => clock.test(line))
    .map((line) => Date.parse(`${line.slice(0, 10)}T${line.slice(11, 19)}Z`));
  for (const time of times) assert.ok(time > before - 1_000 && time <= Date.now());

  await publish(mqttPort, "Dorinel/Zeus", '{"Alarm":0,"AQI":12,"RSSI":1500}');
  await publish(mqttPort, "UPB/RPi_1", '{"BAT":98,"timestamp":1574729660}');
  await publish(mqttPort, "UPB/RPi_1", '{"status":"OK"}');
  await publish(mqttPort, "UPB/RPi_1", "not json");
  await publish(mqttPort, "no/route/here", '{"BAT":1}');
  await publish(mqttPort, "trap/x", "21.5");
  await publish(mqttPort, "trap/x", "throw");
  await publish(mqttPort, "the/end", '{"e":1.50e2}');
  assert.deepEqual((await flow(sluice, "the.end.e")).slice(5), [
    "Received a message by topic [Dorinel/Zeus]",
    "Data timestamp is NOW",
    "Dorinel.Zeus.Alarm 0",
    "Dorinel.Zeus.AQI 12",
    "Dorinel.Zeus.RSSI 1500",
    "Received a message by topic [UPB/RPi_1]",
    "Data timestamp is: 1574729660",
    "UPB.RPi_1.BAT 98",
    "Received a message by topic [UPB/RPi_1]",
    "Data timestamp is NOW",
    "Received a message by topic [UPB/RPi_1]",
    "Received a message by topic [no/route/here]",
    "Received a message by topic [trap/x]",
    "Data timestamp is NOW",
    "trap.x.value 21.5",
    "Received a message by topic [trap/x]",
    "Received a message by topic [the/end]",
    "Data timestamp is NOW",
    "the.end.e 1.50e2",
  ]);
});

Deno.test("no payload, topic or name forges a line of the data flow", async () => {
  await using sluice = await startSluice({ env: { DEBUG_DATA_FLOW: "true" } });
  using client = await RawClient.connect(sluice.mqttPort);
  const forged = "2019-11-27 18:38:14 UPB.RPi_1.BAT 1";

  await client.publish("UPB/RPi_1", JSON.stringify({ [`x\n${forged}`]: 1 }));
  await client.publish("UPB/RPi_1", JSON.stringify({ [`x\r${forged}`]: 1 }));
  await client.publish("UPB/RPi_1", JSON.stringify({ [`x\u2028${forged}\u2029`]: 1 }));
  await client.publish("UPB/RPi_1", JSON.stringify({ "\u001b[2K\u001b[1A\u0085\u202e": 1 }));
  await client.publish("UPB/RPi_1", JSON.stringify({ "x\\n": 1 }));
  await client.publish(
    "UPB/RPi_1",
    JSON.stringify({ a: 1, timestamp: `2019-11-27T20:35:57Z\n${forged}` }),
  );
  await client.publish(`UPB/x\n${forged}`, '{"a":1}');
  await client.publish(`UPB/x\r${forged}`, '{"a":1}');
  await client.publish("UPB/RPi_1", `not json\n${forged}\n`);
  await client.publish("the/end", '{"e":1}');
  const lines = await flow(sluice, "the.end.e");
  assert.deepEqual(lines, [
    "Received a message by topic [UPB/RPi_1]",
    "Data timestamp is NOW",
    `UPB.RPi_1.x\\n${forged} 1`,
    "Received a message by topic [UPB/RPi_1]",
    "Data timestamp is NOW",
    `UPB.RPi_1.x\\r${forged} 1`,
    "Received a message by topic [UPB/RPi_1]",
    "Data timestamp is NOW",
    `UPB.RPi_1.x\\u{2028}${forged}\\u{2029} 1`,
    "Received a message by topic [UPB/RPi_1]",
    "Data timestamp is NOW",
    "UPB.RPi_1.\\u{1b}[2K\\u{1b}[1A\\u{85}\\u{202e} 1",
    "Received a message by topic [UPB/RPi_1]",
    "Data timestamp is NOW",
    "UPB.RPi_1.x\\\\n 1",
    "Received a message by topic [UPB/RPi_1]",
    `Received a message by topic [UPB/x\\n${forged}]`,
    `Received a message by topic [UPB/x\\r${forged}]`,
    "Data timestamp is NOW",
    `UPB.x\\r${forged}.a 1`,
    "Received a message by topic [UPB/RPi_1]",
    "Received a message by topic [the/end]",
    "Data timestamp is NOW",
    "the.end.e 1",
  ]);
  // Not in the rest of the log either.
  const genuine = sluice.process.log.split(/[\n\r\u2028\u2029\u0085]/);
  assert.ok(!genuine.includes(forged));
});

// Each of the other values is told apart in config_test.ts.
for (const value of [undefined, "True"]) {
  Deno.test(`DEBUG_DATA_FLOW ${value === undefined ? "absent" : `= "${value}"`}: none of its lines`, async () => {
    await using sluice = await startSluice({
      env: value === undefined ? {} : { DEBUG_DATA_FLOW: value },
    });
    using client = await RawClient.connect(sluice.mqttPort);
    await client.publish("UPB/RPi_1", '{"BAT":99}');
    await client.publish("UPB/RPi_1", "not json");
    await client.publish("UPB/RPi_1/x", '{"BAT":99}');
    await settledBooks(sluice.httpUrl);
    assert.doesNotMatch(sluice.process.log, /Received a message|Data timestamp|UPB\.RPi_1/);
  });
}
