import assert from "node:assert/strict";
import { readAccount } from "../account.ts";
import { CommandError } from "../exit_code.ts";
import { parseOptions } from "../options.ts";
import { Progress } from "../progress.ts";
import { FakeStationServer } from "../testing/fake_station_server.ts";
import { ManualClock } from "../testing/manual_clock.ts";
import type { HttpAnswer } from "./http_link.ts";
import { loadOptions } from "./load_options.ts";
import type { LoadReport } from "./load_report.ts";
import type { LoadTarget } from "./make_links.ts";
import { runLoad } from "./run_load.ts";

async function load(target: LoadTarget, args: readonly string[]): Promise<LoadReport> {
  const account = await Deno.makeTempFile();
  try {
    const clock = new ManualClock();
    const report = await clock.drive(runLoad(
      parseOptions(loadOptions, [...args, "--account", account, "--model", "bench"]),
      {
        target,
        clock,
        cpuUs: () => 0,
        progress: new Progress(undefined),
        stop: new AbortController().signal,
      },
    ));
    const { acknowledged } = await readAccount(account);
    assert.equal(acknowledged.reduce((sum, { size }) => sum + size, 0), report.acknowledged);
    return report;
  } finally {
    await Deno.remove(account);
  }
}

const station = (server: FakeStationServer): LoadTarget => ({
  kind: "websocket",
  connect: server.connect,
  token: server.token,
});

Deno.test("load over WebSocket: window and credit are kept, all is acknowledged", async () => {
  const server = new FakeStationServer({ token: "t", credit: 8 });
  const report = await load(station(server), ["--count", "100", "--connections", "2"]);
  assert.equal(report.acknowledged, 100);
  assert.equal(server.received.length, 100);
  assert.ok(server.mostOpen <= 8, `${server.mostOpen} readings were open at once`);
  assert.deepEqual(server.tokens, ["t", "t"]);
});

Deno.test("load over WebSocket: after a break the same readings come with the same ids", async () => {
  const server = new FakeStationServer({
    fate: (_reading, order) => [30, 80].includes(order) ? "broken" : "acknowledged",
  });
  const report = await load(station(server), ["--count", "100", "--connections", "1"]);
  assert.equal(report.acknowledged, 100);
  assert.ok(report.reconnects === 2 && report.resent > 0, JSON.stringify(report));
  const known = new Map<string, string>();
  for (const { station, id, topic, payload } of server.received) {
    const text = JSON.stringify([topic, payload]);
    assert.equal(known.get(`${station} ${id}`) ?? text, text);
    known.set(`${station} ${id}`, text);
  }
  assert.equal(known.size, 100);
});

Deno.test("load over WebSocket: poison is settled when it is turned away, other readings are not", async () => {
  const poison = new FakeStationServer({
    fate: ({ payload }) => typeof payload === "string" ? "rejected" : "acknowledged",
  });
  const turned = await load(station(poison), [
    "--count",
    "50",
    "--connections",
    "1",
    "--poison-every",
    "5",
  ]);
  assert.deepEqual([turned.acknowledged, turned.rejected], [50, 0]);
  assert.deepEqual(turned.reasons, { not_an_object: 10 });

  const server = new FakeStationServer({
    fate: (_r, order) => order === 3 ? "rejected" : "acknowledged",
  });
  const report = await load(station(server), ["--count", "50", "--connections", "1"]);
  assert.deepEqual([report.acknowledged, report.rejected], [49, 1]);
});

/** Answers each request as `answer` says; keeps what came. */
class FakeReadingsApi {
  readonly requests: { readonly key: string; readonly lines: readonly string[] }[] = [];
  readonly target: LoadTarget;

  constructor(answer: (lines: readonly string[], order: number) => Partial<HttpAnswer> | "broken") {
    this.target = {
      kind: "http",
      probe: () => Promise.resolve(),
      post: (text, key) => {
        const lines = text.trimEnd().split("\n");
        const given = answer(lines, this.requests.push({ key, lines }));
        return given === "broken"
          ? Promise.reject(new TypeError("broken"))
          : Promise.resolve({ status: 204, retryAfterS: undefined, text: "", ...given });
      },
    };
  }

  /** Distinct readings by the key and place they came under. */
  get distinct(): Map<string, string> {
    const known = new Map<string, string>();
    for (const { key, lines } of this.requests) {
      for (const [i, line] of lines.entries()) {
        assert.equal(known.get(`${key} ${i}`) ?? line, line, "another reading under the same key");
        known.set(`${key} ${i}`, line);
      }
    }
    return known;
  }
}

Deno.test("load over HTTP: a request whose fate is not known is made again under its key", async () => {
  const api = new FakeReadingsApi((_lines, order) => {
    if (order % 4 === 1) return "broken";
    return order % 4 === 2 ? { status: 503, retryAfterS: 1, text: '{"type":"x:not-settled"}' } : {};
  });
  const report = await load(api.target, ["--count", "500", "--connections", "1", "--window", "50"]);
  assert.equal(report.acknowledged, 500);
  assert.equal(api.distinct.size, 500);
  assert.equal(new Set(api.distinct.values()).size, 500);
});

Deno.test("load over HTTP: backpressure is waited for, and only what was not taken comes again", async () => {
  const settled: string[] = [];
  const api = new FakeReadingsApi((lines, order) => {
    const taken = order % 2 === 1 ? Math.floor(lines.length / 3) : lines.length;
    settled.push(...lines.slice(0, taken));
    return taken === lines.length
      ? {}
      : { status: 429, retryAfterS: 2, text: JSON.stringify({ taken, rejected: [] }) };
  });
  const report = await load(api.target, ["--count", "300", "--connections", "1", "--window", "60"]);
  assert.equal(report.acknowledged, 300);
  assert.equal(settled.length, 300);
  assert.equal(new Set(settled).size, 300);
  assert.ok((report.reasons.backpressure ?? 0) >= 5);
});

Deno.test("load over HTTP: an answer that will never be another ends the run", async () => {
  const api = new FakeReadingsApi(() => ({ status: 401, text: "no token" }));
  await assert.rejects(
    load(api.target, ["--count", "5", "--connections", "1"]),
    (error) => error instanceof CommandError && /401: no token/.test(error.message),
  );
});
