/**
 * Names that line protocol must escape, and names that objects have already: in topic levels,
 * device ids and keys, through the embedded store and through VictoriaMetrics, and back as sent.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { deadLetters } from "../support/api.ts";
import { storedValues } from "../support/input.ts";
import { RawClient } from "../support/raw_mqtt.ts";
import { assertConserved, settledBooks, type Sluice, startSluice } from "../support/sluice.ts";

/** Names that come back as they were sent. */
const names = [
  "with space",
  " leading and trailing ",
  "comma,comma",
  "equals=equals",
  'quote"quote',
  "single'quote",
  "back\\slash",
  "back\\,slash comma",
  "#comment",
  "{braces}",
  "tilde~tilde",
  "percent%7E",
  "dot.dot",
  "naïve-Ærøskøbing",
  "温度",
  "🌡️",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "prototype",
  "null",
  "true",
  "NaN",
  "0",
  "value",
  "time",
  "_field",
  "$dollar",
];

/** `#` is a wildcard; a topic that begins with `$` is a broker's own. */
const inTopics = (name: string): boolean => !name.includes("#");
const isLocation = (name: string): boolean => inTopics(name) && !name.startsWith("$");

const timeS = 1_700_000_000;

/** Each name in turn as location, as station and as metric. */
async function sendAll(sluice: Sluice): Promise<void> {
  using client = await RawClient.connect(sluice.mqttPort, 5);
  for (const [i, name] of names.entries()) {
    const timestamp = timeS + i;
    const point = (key: string) => JSON.stringify(Object.fromEntries([[key, i]])).slice(0, -1);
    if (isLocation(name)) {
      assert.equal(await client.publish(`${name}/s`, `${point("m")},"timestamp":${timestamp}}`), 0);
    }
    if (inTopics(name)) {
      assert.equal(await client.publish(`l/${name}`, `${point("m")},"timestamp":${timestamp}}`), 0);
    }
    assert.equal(await client.publish("l/s", `${point(name)},"timestamp":${timestamp}}`), 0);
  }
  assertConserved(await settledBooks(sluice.httpUrl));
  assert.deepEqual(await deadLetters(sluice.httpUrl), []);
}

/** A device id's parts are joined by `~`. */
const idPart = (name: string): string => name.replaceAll("%", "%25").replaceAll("~", "%7E");

Deno.test("names that need escaping come back from the embedded store as they were sent", async () => {
  await using sluice = await startSluice();
  await sendAll(sluice);
  for (const [i, name] of names.entries()) {
    const time = new Date((timeS + i) * 1_000).toISOString().replace("Z", "000000Z");
    const expected = (device: string, metric: string) => ({ time, device, metric, value: i });
    const devices = inTopics(name) ? [`l~${idPart(name)}`] : [];
    if (isLocation(name)) devices.push(`${idPart(name)}~s`);
    for (const device of devices) {
      assert.deepEqual(await storedValues(sluice.httpUrl, device), [expected(device, "m")]);
      const view = await (await fetch(
        `${sluice.httpUrl}/api/devices/${encodeURIComponent(device)}`,
      )).json();
      assert.deepEqual([view.id, view.values], [device, { m: i }]);
    }
    const query = new URLSearchParams({ device: "l~s", metric: name });
    const page = await (await fetch(`${sluice.httpUrl}/api/readings?${query}`)).json();
    assert.deepEqual(page.items, [expected("l~s", name)], name);
  }
  const view = await (await fetch(`${sluice.httpUrl}/api/devices/l~s`)).json();
  assert.deepEqual(Object.keys(view.values).toSorted(), names.toSorted());
  assert.equal(({} as { i?: number }).i, undefined);
});

/** A series of VictoriaMetrics' export. */
interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  readonly timestamps: readonly number[];
}

testWith(
  ["victoria-metrics"],
  "names that need escaping come back from VictoriaMetrics as sent",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({ config: { influx: { url: store.url } } });
    await sendAll(sluice);
    await (await fetch(`${store.url}/internal/force_flush`)).body?.cancel();
    const answer = await fetch(
      `${store.url}/api/v1/export?` + new URLSearchParams({ "match[]": '{__name__!=""}' }),
    );
    const series: Series[] = (await answer.text()).trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    const found = new Set(
      series.filter(({ metric }) => metric["location"] !== undefined).flatMap((
        { metric, values, timestamps },
      ) =>
        values.map((value, i) =>
          JSON.stringify([
            metric["__name__"],
            metric["location"],
            metric["station"],
            value,
            timestamps[i],
          ])
        )
      ),
    );
    for (const [i, name] of names.entries()) {
      const time = (timeS + i) * 1_000;
      // The measurement is `{station}.{metric}`; VictoriaMetrics adds the field's name, `value`.
      const expect = (location: string, station: string, metric: string) => {
        const key = JSON.stringify([`${station}.${metric}_value`, location, station, i, time]);
        assert.ok(found.has(key), `${key} is not among ${[...found].join("\n")}`);
      };
      if (isLocation(name)) expect(name, "s", "m");
      if (inTopics(name)) expect("l", name, "m");
      expect("l", "s", name);
    }
  },
);

Deno.test("names of objects are only names as device ids of the device route", async () => {
  await using sluice = await startSluice();
  using client = await RawClient.connect(sluice.mqttPort, 5);
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    const payload = `{"uuid":${JSON.stringify(name)},"value":1,"__proto__":2,"valueOf":3}`;
    assert.equal(await client.publish(`device/${name}`, payload), 0);
    await settledBooks(sluice.httpUrl);
    const values = await storedValues(sluice.httpUrl, name);
    assert.deepEqual(values.map(({ metric, value }) => `${metric}=${value}`), [
      "__proto__=2",
      "value=1",
      "valueOf=3",
    ]);
    const view = await (await fetch(`${sluice.httpUrl}/api/devices/${name}`)).json();
    assert.equal(view.id, name);
  }
  assert.equal(await client.publish("device/__proto__", '{"uuid":"toString","value":1}'), 0x99);
  const [letter] = await deadLetters(sluice.httpUrl);
  assert.equal(letter?.reason, "identity_mismatch");
  assert.match(letter.detail, /toString.*__proto__/);
});

Deno.test("names that line protocol cannot hold are dead letters", async () => {
  await using sluice = await startSluice();
  using client = await RawClient.connect(sluice.mqttPort, 5);
  assert.equal(await client.publish("l/s", '{"":1}'), 0x99);
  assert.equal(await client.publish("l/s", '{"ends in\\\\":1}'), 0x99);
  assert.equal(await client.publish("ends in\\/s", '{"m":1}'), 0x99);
  const reasons = (await deadLetters(sluice.httpUrl)).map(({ reason }) => reason);
  assert.deepEqual(reasons, ["unwritable_name", "unwritable_name", "unwritable_name"]);
  assert.equal(await client.publish("l/s", '{"m":1}'), 0);
  assertConserved(await settledBooks(sluice.httpUrl));
});

Deno.test("controls in names are written as escapes, as other writers of line protocol do", async () => {
  await using sluice = await startSluice();
  using client = await RawClient.connect(sluice.mqttPort, 5);
  assert.equal(await client.publish("l/a\tb", '{"c\\nd":1}'), 0);
  await settledBooks(sluice.httpUrl);
  const [value] = await storedValues(sluice.httpUrl);
  assert.equal(value?.metric, "c\\nd");
  const view = await (await fetch(`${sluice.httpUrl}/api/devices`)).json();
  assert.deepEqual(view.items[0].values, { "c\nd": 1 });
});
