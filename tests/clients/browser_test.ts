/**
 * Pages in a browser: one that speaks MQTT, with mqtt.js's own bundle, and one that is a station.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Browser, launch, type Page } from "puppeteer-core";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import { publish } from "../support/input.ts";
import { assertConserved, metrics, settledBooks, startSluice, until } from "../support/sluice.ts";

/** As the package has it for browsers. */
const bundle = new URL("../dist/mqtt.min.js", import.meta.resolve("mqtt")).pathname;

function chromium(): Promise<Browser> {
  return launch({ executablePath: findProgram("chromium"), args: ["--no-sandbox"] });
}

/** Opens `url` and has mqtt.js in it; the dashboard's own policy would let no other script in. */
async function openWithMqtt(page: Page, url: string): Promise<void> {
  await page.setBypassCSP(true);
  await page.goto(url);
  await page.addScriptTag({ path: bundle });
}

testWith(["chromium", "mosquitto_pub"], "a page publishes and hears over WebSocket", async () => {
  await using sluice = await startSluice();
  const url = `${sluice.httpUrl.replace("http", "ws")}/mqtt`;
  const browser = await chromium();
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

testWith(
  ["chromium"],
  "a page is a station: readings, batches, commands, and why it is cut off",
  async () => {
    await using sluice = await startSluice();
    const { httpUrl } = sluice;
    const browser = await chromium();
    try {
      const page = await browser.newPage();
      await page.setBypassCSP(true);
      await page.goto(httpUrl);
      await page.evaluate(`(async () => {
      globalThis.heard = [];
      globalThis.station = new WebSocket("${httpUrl.replace("http", "ws")}/ws");
      globalThis.over = new Promise((resolve) => station.onclose = resolve);
      globalThis.say = (frame) => station.send(JSON.stringify(frame));
      station.onmessage = ({ data }) => {
        const frame = JSON.parse(data);
        heard.push(frame);
        if (frame.type === "command") say({ type: "result", id: frame.id, result: { done: frame.command } });
      };
      await new Promise((resolve) => station.onopen = resolve);
      say({ type: "hello", station: "roof" });
      say({ name: "roof", temperature: 21.5, timestamp: 1700000000 });
      say({ type: "reading", id: 7, topic: "UPB/RPi_1", payload: { BAT: 99 } });
      // Larger than a read, and cut into frames as the browser likes.
      const items = Array.from({ length: 200 }, (_, i) => ({ uuid: "u" + i, value: i, pad: "x".repeat(1000) }));
      say({ type: "batch", id: "b", items });
      say({ type: "ping" });
    })()`);
      const typed = (type: string): string => `heard.filter(({ type }) => type === "${type}")`;
      await page.waitForFunction(`${typed("ack")}.length === 3`);
      // Each when its own readings are settled.
      const named = '({ id, number, rejected }) => (id ?? "no. " + number) + " " + rejected';
      assert.deepEqual(
        await page.evaluate(`${typed("ack")}.map(${named}).sort()`),
        ["7 undefined", "b undefined", "no. 1 undefined"],
      );
      assert.deepEqual(await page.evaluate(`${typed("welcome")}.at(-1)`), {
        type: "welcome",
        credit: 256,
      });
      assert.equal(await page.evaluate(`${typed("pong")}.length`), 1);
      assert.deepEqual(await page.evaluate("[station.protocol, station.extensions]"), ["", ""]);
      const answer = await fetch(`${httpUrl}/api/stations/roof/commands`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"fan":true}',
      });
      assert.deepEqual(await answer.json(), { result: { done: { fan: true } } });
      await page.evaluate('station.send("no JSON")');
      assert.deepEqual(
        await page.evaluate("over.then(({ code, wasClean }) => [code, wasClean])"),
        [4400, true],
      );
      // What is larger than a frame may be is refused while the browser is still sending it.
      const code = await page.evaluate(`(async () => {
      const socket = new WebSocket("${httpUrl.replace("http", "ws")}/ws");
      const closed = new Promise((resolve) => socket.onclose = resolve);
      await new Promise((resolve) => socket.onopen = resolve);
      socket.send("x".repeat(32 * 1024 * 1024));
      return (await closed).code;
    })()`);
      assert.equal(code, 1009);
    } finally {
      await browser.close();
    }
    const books = await settledBooks(httpUrl);
    assertConserved(books);
    assert.equal(books.received, 202);
  },
);
