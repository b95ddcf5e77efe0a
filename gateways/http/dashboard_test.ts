import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import { logger } from "../log/log.ts";
import { findProgram, testWith } from "../testing/programs.ts";
import { httpApp } from "./app.ts";
import type { Control } from "./control.ts";
import { Problem } from "./problem.ts";
import { listenHttp } from "./testing/listen.ts";
import { deviceView, fakeControl } from "./testing/fake_control.ts";

/**
 * The dashboard as a browser shows it: the text of its elements, and what the console said.
 *
 * @param use what somebody does with it for 14 s, as the rest of its script.
 */
async function shown(
  changes: Partial<Control>,
  use = "",
): Promise<{ dom: string; complaints: string[] }> {
  const app = httpApp(fakeControl(changes), { clock: new ManualClock(), log: logger("test") });
  const server = listenHttp(async (request, caller) => {
    const answer = await app(request, caller);
    if (use === "" || !request.url.endsWith("/page.js")) return answer;
    return new Response(`${await answer.text()}{\n${use}}`, answer);
  });
  const profile = await Deno.makeTempDir();
  try {
    const { stdout, stderr } = await new Deno.Command(findProgram("chromium"), {
      args: [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        `--user-data-dir=${profile}`,
        "--enable-logging=stderr",
        `--virtual-time-budget=${use === "" ? 3_000 : 14_000}`,
        "--dump-dom",
        `http://127.0.0.1:${server.port}/`,
      ],
    }).output();
    const complaints = new TextDecoder().decode(stderr).split("\n")
      .filter((line) => line.includes(":CONSOLE"));
    return { dom: new TextDecoder().decode(stdout), complaints };
  } finally {
    await server.close(5_000);
    await Deno.remove(profile, { recursive: true });
  }
}

testWith(["chromium"], "a browser shows readings, devices, dead letters and actors", async () => {
  const { dom, complaints } = await shown({});
  assert.deepEqual(complaints, []);
  assert.match(dom, /class="pill good"[^>]*>ready</);
  assert.match(dom, /<b>160<\/b><span>stored in all</);
  assert.match(dom, /<code>a\/b<\/code>/);
  assert.match(dom, /● online/);
  assert.match(dom, /<tbody id="quarantined"><tr><td><code>d e<\/code>.*>Give another chance</);
  assert.match(dom, /the payload is not JSON/);
  assert.match(dom, /<code>no\/route\/&lt;b&gt;<\/code>/);
  assert.match(dom, /Since the start: not_json 6 · timestamp 2\./);
  assert.match(dom, /Since the start: no_route 2\. [^<]* no_route: no route takes the topic\./);
  assert.match(dom, /Error: boom/);
});

testWith(
  ["chromium"],
  "nothing that a device sends becomes markup, nor is its absence a time; a held device is named",
  async () => {
    const hostile = '<img src=x onerror="document.title=1">';
    const { dom, complaints } = await shown({
      devices: () =>
        Promise.resolve({
          items: [
            { ...deviceView(hostile), values: { [hostile]: 1 }, lastSeenMs: 0 },
            { ...deviceView("fast"), limitedForMs: 10 },
            {
              ...deviceView("broken"),
              quarantined: true,
              lastError: { reason: "why", detail: "so", atMs: 1 },
            },
          ],
        }),
    });
    assert.deepEqual(complaints, []);
    assert.ok(dom.includes("&lt;img src=x"));
    assert.doesNotMatch(dom, /<img src=x/);
    assert.match(dom, /<title>Sluice<\/title>/);
    assert.match(dom, /<td>never<\/td>/);
    assert.match(dom, /<code>fast<\/code>.*?● held to its rate/);
    assert.match(dom, /<code>broken<\/code>.*?● quarantined.*? d \d+ h ago, why: so/);
  },
);

testWith(["chromium"], "what is said of a release goes, the other rows stay", async () => {
  let quarantined = ["a", "b"];
  let asked = 0;
  const { dom, complaints } = await shown(
    {
      release: (id) => {
        quarantined = quarantined.filter((one) => one !== id);
        asked = 0;
        return Promise.resolve("released");
      },
      devices: ({ quarantined: only }) => {
        if (only && ++asked === 2 && quarantined.length === 1) quarantined = ["a", "b"];
        return Promise.resolve({ items: quarantined.map(deviceView) });
      },
    },
    `
const buttons = () => [...document.querySelectorAll("#quarantined button")];
const said = () => byId("released").textContent;
const until = async (done) => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 100));
};
const seen = [];
await until(() => buttons().length === 2);
buttons()[1].focus();
const [first, second] = buttons();
first.click();
await until(() => buttons().length === 1);
seen.push(said());
await until(() => buttons().length === 2);
seen.push(said() === "" && document.activeElement === second && buttons()[1] === second);
buttons()[0].click();
await until(() => buttons().length === 1);
second.click();
await until(() => buttons().length === 0);
seen.push(said(), byId("quarantine").hidden);
await until(() => byId("quarantine").hidden);
seen.push(said());
document.title = seen.join(", ");
`,
  );
  assert.deepEqual(complaints, []);
  assert.match(dom, /<title>a has another chance, true, b has another chance, false, <\/title>/);
});

testWith(["chromium"], "a service that does not answer is said to be so", async () => {
  const { dom } = await shown({ snapshot: () => Promise.reject(new Error("gone")) });
  assert.match(dom, /class="pill bad"[^>]*>no answer</);
});

testWith(["chromium"], "who is banned is told so, and is not asked to log in", async () => {
  const ban = new Problem("banned", "banned until noon");
  const { dom } = await shown({ snapshot: () => Promise.reject(ban) });
  assert.match(dom, /class="pill bad"[^>]*>banned</);
  assert.match(dom, /banned until noon/);
  assert.match(dom, /<form[^>]* id="login"[^>]* hidden/);
});
