/**
 * A page in a browser that speaks MQTT, with mqtt.js's own bundle.
 *
 * @module
 */
import assert from "node:assert/strict";
import { launch, type Page } from "puppeteer-core";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import { publish } from "../support/input.ts";
import { assertConserved, metrics, settledBooks, startSluice, until } from "../support/sluice.ts";

/** As the package has it for browsers. */
const bundle = new URL("../dist/mqtt.min.js", import.meta.resolve("mqtt")).pathname;

/** Opens `url` and has mqtt.js in it; the dashboard's own policy would let no other script in. */
async function openWithMqtt(page: Page, url: string): Promise<void> {
  await page.setBypassCSP(true);
  await page.goto(url);
  await page.addScriptTag({ path: bundle });
}

testWith(["chromium", "mosquitto_pub"], "a page publishes and hears over WebSocket", async () => {
  await using sluice = await startSluice();
  const url = `${sluice.httpUrl.replace("http", "ws")}/mqtt`;
  const browser = await launch({ executablePath: findProgram("chromium"), args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    await openWithMqtt(page, sluice.httpUrl);
    await page.evaluate(`(async () => {
      globalThis.heard = [];
      globalThis.client = await mqtt.connectAsync("${url}", { protocolVersion: 5 });
      client.on("message", (topic, payload, { qos }) => heard.push(topic + " " + qos + " " + payload));
      await client.subscribeAsync("arrival/#", { qos: 2 });
      for (const qos of [0, 1, 2]) {
        await client.publishAsync("arrival/page", JSON.stringify({ v: qos }), { qos });
      }
    })()`);
    await publish(sluice.mqttPort, "arrival/tcp", '{"v":3}');
    await page.waitForFunction("heard.length === 4");
    assert.deepEqual(await page.evaluate("heard"), [
      'arrival/page 0 {"v":0}',
      'arrival/page 1 {"v":1}',
      'arrival/page 2 {"v":2}',
      'arrival/tcp 1 {"v":3}',
    ]);
    // The page of another site is not let in: this one is, to the browser.
    const foreign = await browser.newPage();
    await openWithMqtt(foreign, sluice.httpUrl.replace("127.0.0.1", "localhost"));
    const refused = await foreign.evaluate(
      `mqtt.connectAsync("${url}", { reconnectPeriod: 0 }, false).then(() => "let in", () => "refused")`,
    );
    assert.equal(refused, "refused");
    await page.close(); // Without a word.
    await until("the session is gone", async () => {
      return (await metrics(sluice.httpUrl))("sluice_sessions", 'transport="ws"') === 0;
    });
  } finally {
    await browser.close();
  }
  const sum = await metrics(sluice.httpUrl);
  assert.equal(sum("sluice_mqtt_ws_accepted_total"), 1);
  const books = await settledBooks(sluice.httpUrl);
  assertConserved(books);
  assert.equal(books.received, 4);
});
