import assert from "node:assert/strict";
import { launch, type Page } from "puppeteer-core";
import { ManualClock } from "../../../runtime/clock.ts";
import { logger } from "../../log/log.ts";
import { findProgram, testWith } from "../../testing/programs.ts";
import { httpApp } from "../app.ts";
import type { Control, DeviceView, Presence } from "../control.ts";
import { deviceView, fakeControl, shardSnapshot } from "../testing/fake_control.ts";
import { listenHttp } from "../testing/listen.ts";

/** `hall~d000` and so on: every other one is silent. */
const all: readonly DeviceView[] = Array.from({ length: 120 }, (_, i) => ({
  ...deviceView(`hall~d${String(i).padStart(3, "0")}`),
  presence: i % 2 === 0 ? "online" : "silent",
}));

/** Lists them as the shards do. */
function deviceControl(known: () => readonly DeviceView[]): Control {
  const devices: Control["devices"] = (
    { limit, after = "", idPart = "", presence, quarantined },
  ) => {
    if (quarantined) return Promise.resolve({ items: [] });
    const found = known().filter((one) =>
      one.id > after && one.id.includes(idPart.toLowerCase()) &&
      (presence === undefined || one.presence === presence)
    );
    const items = found.slice(0, limit);
    const next = found.length > limit ? items.at(-1)?.id : undefined;
    return Promise.resolve(next === undefined ? { items } : { items, next });
  };
  const countOf = (presence: Presence) => known().filter((one) => one.presence === presence).length;
  const snapshot = () => {
    const devices = { online: countOf("online"), silent: countOf("silent"), offline: 0 };
    return Promise.resolve([{ ...shardSnapshot(0), devices }]);
  };
  return fakeControl({ devices, snapshot });
}

interface Shown {
  readonly first: string;
  readonly count: number;
  readonly place: string;
  readonly hash: string;
  readonly focus: string;
}

const shown = (page: Page): Promise<Shown> =>
  page.evaluate(`({
    first: document.querySelector("#devices code")?.textContent ?? "",
    count: document.querySelectorAll("#devices tr").length,
    place: document.querySelector("#page-place").textContent,
    hash: location.hash,
    focus: document.activeElement.id,
  })`) as Promise<Shown>;

const firstIs = (page: Page, id: string) =>
  page.waitForFunction(`document.querySelector("#devices code")?.textContent === "hall~${id}"`);

/** Resolves when what is there by now is shown. */
async function updated(page: Page): Promise<void> {
  const before = Number(await page.evaluate("updates"));
  // One may be under way; whoever asks a second time has shown what came of the first.
  await page.waitForFunction(`updates >= ${before + 3}`);
}

testWith(["chromium"], "all devices are found, page by page and by search", async (t) => {
  let known = all;
  const app = httpApp(deviceControl(() => known), {
    clock: new ManualClock(),
    log: logger("test"),
  });
  const server = listenHttp(app);
  const url = `http://127.0.0.1:${server.port}/`;
  const browser = await launch({ executablePath: findProgram("chromium"), args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    await page.evaluateOnNewDocument(`{
      const { setTimeout } = globalThis; // Ten times as often as for people.
      globalThis.setTimeout = (call, ms) => setTimeout(call, ms / 10);
      globalThis.updates = 0;
      const { fetch } = globalThis;
      globalThis.fetch = (path, ...others) => {
        if (path === "/api/status") updates++;
        return fetch(path, ...others);
      };
    }`);
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));

    await t.step("pages are turned by the keyboard, which stays on the button", async () => {
      await page.goto(url);
      await firstIs(page, "d000");
      assert.equal((await shown(page)).place, "1–50 of 120");
      await page.focus("#next-page");
      await page.keyboard.press("Enter");
      await firstIs(page, "d050");
      await page.keyboard.press("Enter");
      await firstIs(page, "d100");
      const last = await shown(page);
      assert.match(last.hash, /^#cursor=\w+$/);
      assert.deepEqual({ ...last, hash: "" }, {
        first: "hall~d100",
        count: 20,
        place: "101–120 of 120",
        hash: "",
        focus: "next-page",
      });
      const entries = await page.evaluate("history.length");
      await page.keyboard.press("Enter"); // There are no more.
      assert.equal(await page.evaluate("history.length"), entries);
    });

    await t.step(
      "the address keeps the page, over a reload too; the way back goes on",
      async () => {
        await page.evaluate("history.back()");
        await firstIs(page, "d050");
        await page.reload();
        await firstIs(page, "d050");
        assert.equal((await shown(page)).place, "51–100 of 120");
        await page.click("#page-before");
        await firstIs(page, "d000");
        assert.equal((await shown(page)).hash, "");
      },
    );

    await t.step("live updates leave every row as it is", async () => {
      await page.evaluate(`(() => {
        globalThis.changes = [];
        new MutationObserver((all) => changes.push(...all))
          .observe(document.querySelector("#devices"), { childList: true });
      })()`);
      await updated(page);
      assert.equal(await page.evaluate("changes.length"), 0);
    });

    await t.step("a search goes to its first page, and what it finds may be nothing", async () => {
      await page.click("#next-page");
      await firstIs(page, "d050");
      const input = 'document.querySelector("#device-id").dispatchEvent(new Event("input"))';
      await page.evaluate(input); // What was typed was taken back.
      await updated(page);
      assert.equal((await shown(page)).first, "hall~d050");
      await page.type("#device-id", "D11");
      await firstIs(page, "d110");
      assert.deepEqual(await shown(page), {
        first: "hall~d110",
        count: 10,
        place: "1–10 of 10",
        hash: "#id=D11",
        focus: "device-id",
      });
      assert.equal(await page.$("#pages[hidden]"), null);
      await page.select("#presence", "silent");
      await firstIs(page, "d111");
      assert.equal((await shown(page)).count, 5);
      await page.type("#device-id", "/");
      await page.waitForFunction('document.querySelectorAll("#devices tr").length === 0');
      assert.equal(
        await page.$eval("#devices-more", ({ textContent }) => textContent),
        "None of the 120 devices is like that. Ids have ~ where topics have a slash.",
      );
    });

    await t.step(
      "an address that somebody sent is looked up; one with no cursor in it, too",
      async () => {
        await page.goto(`${url}#presence=silent&cursor=${btoa("hall~d099").replace(/=+$/, "")}`);
        await firstIs(page, "d101");
        assert.equal((await shown(page)).place, "the last 10 of them");
        assert.equal(await page.evaluate('document.querySelector("#presence").value'), "silent");
        await page.click("#first-page");
        await firstIs(page, "d001");
        assert.deepEqual(complaints, []);
        await page.goto(`${url}#cursor=!`);
        await firstIs(page, "d000");
        assert.equal((await shown(page)).hash, "");
      },
    );

    await t.step("who has no device is told how to send to the port that is open", async () => {
      known = [];
      const text = (id: string) => `document.querySelector("#${id}").textContent`;
      await page.waitForFunction(`${text("first-reading")} !== ""`);
      assert.equal(
        await page.evaluate(`${text("devices-more")} + ${text("first-reading")}`),
        "No device yet. Publish JSON, for example from here: mosquitto_pub -h 127.0.0.1 -p 1884 " +
          "-t greenhouse/bench_3 -q 1 -m '{\"TMP\":21.5}'",
      );
    });
  } finally {
    await browser.close();
    await server.close(5_000);
  }
});
