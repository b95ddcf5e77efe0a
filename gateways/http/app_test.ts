import assert from "node:assert/strict";
import { AskError } from "../../runtime/ask.ts";
import { ManualClock } from "../../runtime/clock.ts";
import type { Log } from "../log/log.ts";
import { silentLog } from "../log/testing/silent_log.ts";
import { httpApp } from "./app.ts";
import type { Control } from "./control.ts";
import { deviceView, fakeControl } from "./testing/fake_control.ts";

/** Asks a fresh app. */
function ask(
  path: string,
  init: RequestInit = {},
  changes: Partial<Control> = {},
  log = silentLog,
): Promise<Response> {
  const handle = httpApp(fakeControl(changes), { clock: new ManualClock(), log });
  return handle(new Request(`http://127.0.0.1:8080${path}`, init));
}

/** The body of a problem; checks the form that all problems have. */
async function problem(answer: Response): Promise<{ type: string; detail: string }> {
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  const { type, title, status, detail } = await answer.json();
  assert.equal(status, answer.status);
  assert.ok(typeof title === "string" && typeof detail === "string");
  assert.match(type, /^urn:sluice:problem:[a-z-]+$/);
  return { type: type.slice("urn:sluice:problem:".length), detail };
}

const json = (body: unknown): RequestInit => ({
  method: "POST",
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
});

Deno.test("alive and ready", async () => {
  assert.equal((await ask("/healthz")).status, 200);
  assert.equal((await ask("/readyz")).status, 200);
});

Deno.test("not ready: 503 with every reason", async () => {
  const answer = await ask("/readyz", {}, {
    notReady: () => Promise.resolve(["shard 1 is being restarted", "the spool is full"]),
  });
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("retry-after"), "5");
  assert.deepEqual(await problem(answer), {
    type: "not-ready",
    detail: "shard 1 is being restarted; the spool is full",
  });
});

Deno.test("metrics have Prometheus' media type", async () => {
  const answer = await ask("/metrics");
  assert.equal(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assert.match(await answer.text(), /^# HELP sluice_readings_received_total /);
});

Deno.test("the status adds the shards up, and the law holds", async () => {
  const { readings, reasons, devices, started, endpoints } = await (await ask("/api/status"))
    .json();
  assert.deepEqual(reasons, {
    deadLettered: { not_json: 6, timestamp: 2 },
    refused: { no_route: 2 },
  });
  assert.equal(readings.received, 200);
  const { received: _, ...places } = readings;
  assert.equal(Object.values(places).reduce((sum: number, n) => sum + Number(n), 0), 200);
  assert.deepEqual(devices, { online: 6, silent: 2, offline: 0 });
  assert.equal(started, "2026-01-02T00:00:00.000Z");
  // Who listens everywhere is reached by the name that was asked.
  assert.deepEqual(endpoints, ["mqtt://127.0.0.1:1884", "ws://127.0.0.1:8080/ws"]);
});

Deno.test("devices are paged by cursor to the end", async () => {
  const ids: string[] = [];
  let cursor = "";
  do {
    const { items, next } = await (await ask(`/api/devices?limit=1${cursor}`)).json();
    ids.push(...items.map((device: { id: string }) => device.id));
    cursor = next === undefined ? "" : `&cursor=${next}`;
  } while (cursor !== "");
  assert.deepEqual(ids, ["a/b", "c", "d e"]);
});

Deno.test("a device is found by its id, slash or space in it", async () => {
  for (const path of ["a/b", "a%2Fb", "d%20e"]) {
    const answer = await ask(`/api/devices/${path}`);
    assert.equal(answer.status, 200, path);
    assert.equal((await answer.json()).lastSeen, "2026-01-02T03:04:05.000Z");
  }
  const missing = await ask("/api/devices/toString");
  assert.equal(missing.status, 404);
  assert.equal(
    (await problem(missing)).detail,
    'no device "toString"; GET /api/devices?contains=… finds ids',
  );
});

Deno.test("a device shows its last error", async () => {
  const lastError = { reason: "not_json", detail: "no JSON", atMs: 0 };
  const answer = await ask("/api/devices/c", {}, {
    device: (id) => Promise.resolve({ ...deviceView(id), lastError }),
  });
  assert.deepEqual((await answer.json()).lastError, {
    reason: "not_json",
    detail: "no JSON",
    at: "1970-01-01T00:00:00.000Z",
  });
});

Deno.test("the filters of devices reach the control", async () => {
  const seen: unknown[] = [];
  await ask("/api/devices?presence=silent&prefix=UPB%2F&contains=pi&limit=5", {}, {
    devices: (query) => {
      seen.push(query);
      return Promise.resolve({ items: [] });
    },
  });
  assert.deepEqual(seen, [{ limit: 5, presence: "silent", idPrefix: "UPB/", idPart: "pi" }]);
});

Deno.test("readings: a page, refused parameters, another store", async () => {
  const point = { time: "2026-01-02T00:00:00.000000001Z", device: "d", metric: "m", value: 1 };
  const seen: unknown[] = [];
  const page = await ask("/api/readings?device=d&agg=mean", {}, {
    readings: (parameters) => {
      seen.push(...parameters);
      return Promise.resolve({ kind: "page", page: { items: [point] } });
    },
  });
  assert.deepEqual(seen, [["device", "d"], ["agg", "mean"]]);
  assert.deepEqual(await page.json(), { items: [point] });

  const invalid = await ask("/api/readings?agg=median", {}, {
    readings: () =>
      Promise.resolve({
        kind: "invalid",
        problems: [{ parameter: "agg", message: "must be one of mean, min" }],
      }),
  });
  assert.equal(invalid.status, 400);
  assert.equal((await problem(invalid)).detail, "agg: must be one of mean, min");

  const elsewhere = await ask("/api/readings", {}, {
    readings: () => Promise.resolve({ kind: "elsewhere", detail: "ask InfluxDB" }),
  });
  assert.equal(elsewhere.status, 501);
  assert.equal((await problem(elsewhere)).type, "history-elsewhere");

  for (
    const [damaged, type, status] of [[true, "history-damaged", 500], [
      false,
      "unavailable",
      503,
    ]] as const
  ) {
    const failed = await ask("/api/readings", {}, {
      readings: () => Promise.resolve({ kind: "failed", reason: "it is malformed", damaged }),
    });
    assert.equal(failed.status, status);
    const { type: answered, detail } = await problem(failed);
    assert.deepEqual([answered, detail], [type, "it is malformed"]);
  }
});

Deno.test("no readings, for nobody has heard of the device: the answer says so", async () => {
  const readings: Control["readings"] = (parameters) => {
    const isOld = parameters.get("device") === "forgotten" && !parameters.has("from");
    const item = { time: "2026-01-02T00:00:00Z", device: "forgotten", metric: "m", value: 1 };
    return Promise.resolve({ kind: "page", page: { items: isOld ? [item] : [] } });
  };
  const device: Control["device"] = (id) =>
    id === "away"
      ? Promise.reject(new AskError("timeout", "shard 1 did not answer"))
      : Promise.resolve(id === "hall~bench" ? deviceView(id) : undefined);
  const read = async (query: string) =>
    await (await ask(`/api/readings${query}`, {}, { readings, device })).json();
  const known = ["", "?device=", "?device=hall~bench", "?device=forgotten&from=1", "?device=away"];
  for (const query of known) assert.deepEqual(await read(query), { items: [] }, query);
  assert.deepEqual(await read("?device=nobody&metric=m"), {
    items: [],
    hint: 'no device "nobody"; GET /api/devices?contains=… finds ids',
  });
  const meant = 'no device "hall/bench"; did you mean "hall~bench"?';
  assert.deepEqual(await read("?device=hall/bench"), { items: [], hint: meant });
  const one = await problem(await ask("/api/devices/hall/bench", {}, { device }));
  assert.deepEqual(one, { type: "not-found", detail: meant });
});

Deno.test("the tree of actors, with the last errors", async () => {
  const tree = await (await ask("/api/actors")).json();
  assert.equal(tree.children[0].lastError.at, "2026-01-02T00:00:00.000Z");
  const missing = await ask("/api/actors?under=x", {}, {
    actors: () => Promise.resolve(undefined),
  });
  assert.equal((await problem(missing)).type, "not-found");
});

Deno.test("dead letters show text as text and the rest as base64", async () => {
  const { items: [letter] } = await (await ask("/api/dead-letters?limit=1")).json();
  assert.equal(letter.payload, "not json");
  assert.equal(letter.arrived, "2026-01-02T00:00:00.000Z");
  const answer = await ask("/api/dead-letters", {}, {
    deadLetters: async () => {
      const { items: [one] } = await fakeControl().deadLetters({ limit: 1 });
      return { items: one === undefined ? [] : [{ ...one, payload: new Uint8Array([0xff]) }] };
    },
  });
  const { items: [binary] } = await answer.json();
  assert.equal(binary.payloadBase64, "/w==");
  assert.equal("payload" in binary, false);
});

Deno.test("the newest dead letters are asked for by their sort", async () => {
  const seen: unknown[] = [];
  const deadLetters: Control["deadLetters"] = (query) => {
    seen.push(query);
    return Promise.resolve({ items: [] });
  };
  for (const query of ["?sort=desc&limit=5", "?sort=asc&reason=x"]) {
    assert.equal((await ask(`/api/dead-letters${query}`, {}, { deadLetters })).status, 200);
  }
  assert.deepEqual(seen, [{ limit: 5, newestFirst: true }, { limit: 100, reason: "x" }]);
});

Deno.test("replay: all, by reason, by id", async () => {
  const seen: unknown[] = [];
  const replayDeadLetters: Control["replayDeadLetters"] = (choice) => {
    seen.push(choice);
    return Promise.resolve({ replayed: 1, remaining: 0 });
  };
  for (
    const init of [{ method: "POST" }, json({}), json({ reason: "x" }), json({ ids: ["1", "2"] })]
  ) {
    const answer = await ask("/api/dead-letters/replay", init, { replayDeadLetters });
    assert.deepEqual(await answer.json(), { replayed: 1, remaining: 0 });
  }
  assert.deepEqual(seen, [{}, {}, { reason: "x" }, { ids: ["1", "2"] }]);
});

Deno.test("another chance for a quarantined device, and the log says who gave it", async () => {
  const written: unknown[] = [];
  const log = {
    ...silentLog,
    info: (message: string, fields?: Record<string, unknown>) => {
      written.push([message, fields]);
    },
  };
  const asked: string[] = [];
  const release: Control["release"] = (id) => {
    asked.push(id);
    return Promise.resolve("released");
  };
  const init = { method: "DELETE" };
  for (const path of ["UPB~RPi_1", "a/b", "a%2Fb", "a%E2%80%A8b%2F%0A"]) {
    const answer = await ask(`/api/quarantine/${path}`, init, { release }, log);
    assert.equal(answer.status, 204);
  }
  assert.deepEqual(asked, ["UPB~RPi_1", "a/b", "a/b", "a\u2028b/\n"]);
  assert.deepEqual(written[0], ["a device was released from quarantine", { device: "UPB~RPi_1" }]);
  assert.equal(written.length, asked.length);
});

Deno.test("the quarantined devices, page by page", async () => {
  const { items } = await (await ask("/api/quarantine")).json();
  assert.deepEqual(items.map(({ id }: { id: string }) => id), ["d e"]);
  const seen: unknown[] = [];
  const answer = await ask("/api/quarantine?limit=7&prefix=UPB", {}, {
    devices: (query) => {
      seen.push(query);
      return Promise.resolve({
        items: [{ ...deviceView("c"), quarantined: true as const }],
        next: "c",
      });
    },
  });
  assert.deepEqual(seen, [{ limit: 7, idPrefix: "UPB", quarantined: true }]);
  const { items: [device], next } = await answer.json();
  assert.deepEqual([device.id, device.quarantined, next], ["c", true, "Yw"]);
});

const text = (body: BodyInit, type: string): RequestInit => ({
  method: "POST",
  body,
  headers: { "content-type": type },
});
const replay = "/api/dead-letters/replay";

const refused: readonly (readonly [string, RequestInit, number, string, RegExp])[] = [
  ["/api/device", {}, 404, "not-found", /nothing at \/api\/device/],
  [
    "/api/devices?limit=0",
    {},
    400,
    "invalid-parameter",
    /^limit: must be an integer from 1 to 1000/,
  ],
  ["/api/devices?limit=1e2", {}, 400, "invalid-parameter", /^limit: /],
  ["/api/devices?limit=1&limit=2", {}, 400, "invalid-parameter", /^limit: given more than once/],
  [
    "/api/devices?limt=1",
    {},
    400,
    "invalid-parameter",
    /^limt: unknown parameter; allowed: limit, /,
  ],
  ["/api/devices?cursor=%00", {}, 400, "invalid-parameter", /^cursor: /],
  ["/api/devices?cursor=_w", {}, 400, "invalid-parameter", /^cursor: /],
  ["/api/devices?presence=gone", {}, 400, "invalid-parameter", /one of online, silent, offline/],
  ["/api/status?x=1", {}, 400, "invalid-parameter", /there are none here/],
  ["/api/actors?children=0", {}, 400, "invalid-parameter", /^children: /],
  ["/api/dead-letters?sort=up", {}, 400, "invalid-parameter", /^sort: must be asc or desc/],
  ["/api/dead-letters?sort=desc&reason=x", {}, 400, "invalid-parameter", /^sort: .*reason/],
  ["/api/devices", { method: "DELETE" }, 405, "method-not-allowed", /allowed: GET, HEAD/],
  ["/metrics", { method: "POST" }, 405, "method-not-allowed", /allowed: GET, HEAD/],
  [
    "/api/quarantine?presence=online",
    {},
    400,
    "invalid-parameter",
    /allowed: limit, cursor, prefix/,
  ],
  [
    "/api/quarantine/c",
    { method: "DELETE" },
    409,
    "not-quarantined",
    /"c" is not quarantined; GET /,
  ],
  ["/api/quarantine/x", { method: "DELETE" }, 404, "not-found", /no device "x"/],
  [replay, {}, 405, "method-not-allowed", /allowed: POST/],
  [replay, text("{", "application/json"), 400, "invalid-body", /not JSON: /],
  [replay, text(new Uint8Array([0xff]), "application/json"), 400, "invalid-body", /not UTF-8/],
  [replay, text("{}", "text/plain"), 415, "unsupported-media-type", /text\/plain/],
  [replay, text("x".repeat(65_537), "application/json"), 413, "body-too-large", /65536 bytes/],
  [replay, json([]), 400, "invalid-body", /must be an object/],
  [replay, json({ reason: 1 }), 400, "invalid-body", /reason must be a text/],
  [replay, json({ ids: [1] }), 400, "invalid-body", /ids must be a list of texts/],
  [replay, json({ ids: [], reason: "x" }), 400, "invalid-body", /exclude each other/],
  [replay, json({ all: true }), 400, "invalid-body", /unknown key "all"/],
  [
    replay,
    text('{"__proto__": {"reason": "x"}}', "application/json"),
    400,
    "invalid-body",
    /unknown/,
  ],
];

for (const [path, init, status, type, detail] of refused) {
  Deno.test(`refused: ${init.method ?? "GET"} ${path} ${type} ${detail}`, async () => {
    const answer = await ask(path, init);
    assert.equal(answer.status, status);
    const found = await problem(answer);
    assert.equal(found.type, type);
    assert.match(found.detail, detail);
  });
}

Deno.test("405 and OPTIONS say what is allowed, HEAD has no body", async () => {
  const refusedMethod = await ask("/api/devices", { method: "PUT" });
  assert.equal(refusedMethod.headers.get("allow"), "GET, HEAD");
  const options = await ask(replay, { method: "OPTIONS" });
  assert.equal(options.status, 204);
  assert.equal(options.headers.get("allow"), "POST");
  const head = await ask("/api/devices", { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
});

Deno.test("HEAD says what GET would, and how long its body is", async () => {
  for (const path of ["/", "/dashboard/page.js", "/healthz", "/api/devices", "/api/devices/no"]) {
    const [get, head] = [await ask(path), await ask(path, { method: "HEAD" })];
    assert.equal(head.status, get.status, path);
    const { byteLength } = await get.arrayBuffer();
    assert.equal(await head.text(), "", path);
    assert.deepEqual(
      [...head.headers],
      [...get.headers, ["content-length", String(byteLength)]].sort(),
      path,
    );
  }
});

Deno.test("a page of another site can change nothing", async () => {
  for (const headers of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
    const answer = await ask(replay, { method: "POST", headers });
    assert.equal(answer.status, 403);
    assert.equal((await problem(answer)).type, "cross-origin");
  }
  const own = { origin: "http://127.0.0.1:8080", host: "127.0.0.1:8080" };
  assert.equal((await ask(replay, { method: "POST", headers: own })).status, 200);
});

Deno.test("every answer keeps other sites out and is not cached", async () => {
  for (const path of ["/healthz", "/api/status", "/nothing", "/api/devices?x"]) {
    const { headers } = await ask(path);
    assert.match(headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/, path);
    assert.equal(headers.get("x-content-type-options"), "nosniff", path);
    assert.equal(headers.get("cache-control"), "no-store", path);
  }
});

Deno.test("what fails inside is 500, logged with its cause and not told outside", async () => {
  const logged: unknown[] = [];
  const log: Log = { ...silentLog, error: (...entry) => logged.push(entry) };
  const answer = await ask("/api/devices", {}, {
    devices: () => Promise.reject(new Error("secret of the inside")),
  }, log);
  assert.equal(answer.status, 500);
  assert.equal((await problem(answer)).detail, "the log has the cause");
  assert.equal(logged.length, 1);
});

Deno.test("a shard that does not answer in time is 503 with Retry-After", async () => {
  const answer = await ask("/api/actors", {}, {
    actors: () => Promise.reject(new AskError("timeout", "shard 1 did not answer")),
  });
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("retry-after"), "5");
  assert.equal((await problem(answer)).type, "unavailable");
});

Deno.test("the dashboard comes with all it needs and nothing from elsewhere", async () => {
  const page = await ask("/");
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  const html = await page.text();
  const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
  assert.ok(links.length >= 3);
  const wanted = new Set(links.filter((one) => !one.startsWith("#")));
  for (const link of wanted) { // It grows as modules are met.
    assert.ok(link.startsWith("/"), link);
    const answer = await ask(link);
    assert.equal(answer.status, 200, link);
    const imports = (await answer.text()).matchAll(/^import .* from "([^"]+)";$/gm);
    for (const [, name = ""] of link.endsWith(".js") ? imports : []) {
      wanted.add(new URL(name, `http://h${link}`).pathname);
    }
  }
  assert.ok(wanted.has("/dashboard/devices.js"));
  const nowhere = await ask("/dashboard/toString");
  assert.equal((await problem(nowhere)).detail, 'the dashboard has no "toString"');
  assert.doesNotMatch(html, /<script>|style="|\son\w+="/);
});
