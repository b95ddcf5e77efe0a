import assert from "node:assert/strict";
import { firstReading } from "./hint.js";

const here = "http://127.0.0.1:8080";
const hint = (endpoints: readonly string[], accountsRequired = false): string =>
  firstReading({ endpoints, accountsRequired }, here).command;
const stations = "ws://127.0.0.1:8080/ws";

Deno.test("a first reading goes to the port that MQTT listens on", () => {
  assert.equal(
    hint(["mqtts://h:8883", "mqtt://h:1883", stations]),
    `mosquitto_pub -h h -t greenhouse/bench_3 -q 1 -m '{"TMP":21.5}'`,
  );
  assert.match(hint(["mqtt://[2001:db8::1]:1884"]), /^mosquitto_pub -h 2001:db8::1 -p 1884 -t /);
  assert.match(
    hint(["mqtts://h:8884"], true),
    / -h h -p 8884 --cafile ca.pem -u NAME -P PASSWORD /,
  );
  assert.match(hint(["mqtts://h"]), / -p 8883 --cafile /);
});

Deno.test("without MQTT it goes where the page is from", () => {
  const curl = `curl "${here}/api/readings?topic=greenhouse/bench_3"`;
  assert.equal(hint([stations]), `${curl} --json '{"TMP":21.5}'`);
  assert.equal(
    hint([], true),
    `${curl} -H "authorization: Bearer $TOKEN" --json '{"TMP":21.5}'`,
  );
});

Deno.test("who looks from another machine is told where the command works", () => {
  const endpoints = ["mqtt://127.0.0.1:1883"];
  const whereAt = (origin: string, urls: readonly string[]): string =>
    firstReading({ endpoints: urls, accountsRequired: false }, origin).where;
  assert.equal(whereAt(here, endpoints), "from here");
  assert.equal(whereAt("http://localhost:8080", endpoints), "from here");
  assert.equal(whereAt("https://sluice.example", endpoints), "on the machine of Sluice");
  assert.equal(whereAt("https://sluice.example", []), "from here");
  assert.equal(whereAt("https://sluice.example", ["mqtt://sluice.example:1883"]), "from here");
});
