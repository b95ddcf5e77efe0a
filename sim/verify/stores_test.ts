import assert from "node:assert/strict";
import type { SeriesPattern } from "../load_model.ts";
import { withServer } from "../testing/http_server.ts";
import { InfluxDBStore } from "./influxdb.ts";
import type { SampleRequest, SampleStore } from "./samples.ts";
import { SluiceStore } from "./sluice.ts";
import { VictoriaMetricsStore } from "./victoria_metrics.ts";

const originMs = Date.UTC(2026, 0, 1);
const bench: SeriesPattern = {
  measurement: { kind: "is", name: "bench" },
  field: "seq",
  deviceTag: "device",
};
const station: SeriesPattern = {
  measurement: { kind: "ends", suffix: ".SEQ" },
  field: "value",
  deviceTag: "station",
};

function request(pattern = bench): SampleRequest {
  return {
    key: "seq",
    pattern,
    fromMs: originMs,
    toMs: originMs + 10,
    originMs,
    deviceOfTag: new Map([["d0", 0], ["d1", 1]]),
    deviceIds: ["d0", "d1"],
  };
}

/** Device, series, then time and value of each sample. */
async function all(store: SampleStore, pattern?: SeriesPattern): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const block of store.samples(request(pattern))) {
    for (let i = 0; i < block.count; i++) {
      found.push([block.device, block.series, block.timesNs[i], block.values[i]]);
    }
  }
  return found;
}

Deno.test("VictoriaMetrics: asks for raw samples, takes the devices' own", async () => {
  const asked: URL[] = [];
  const lines = [
    { metric: { __name__: "bench_seq", device: "d1" }, values: [1, 2], timestamps: [0, 7] },
    { metric: { __name__: "bench_seq", device: "other" }, values: [9], timestamps: [0] },
    { metric: { __name__: "bench_seq", device: "d0", gateway: "g" }, values: [3], timestamps: [1] },
  ].map((line) => ({ ...line, timestamps: line.timestamps.map((ms) => originMs + ms) }));
  await withServer(
    (incoming) => {
      asked.push(new URL(incoming.url));
      return new Response(lines.map((line) => JSON.stringify(line)).join("\n"));
    },
    async (url) => {
      assert.deepEqual(await all(new VictoriaMetricsStore(url)), [
        [1, '{"__name__":"bench_seq","device":"d1"}', 0, 1],
        [1, '{"__name__":"bench_seq","device":"d1"}', 7e6, 2],
        [0, '{"__name__":"bench_seq","device":"d0","gateway":"g"}', 1e6, 3],
      ]);
      await all(new VictoriaMetricsStore(`${url}/`), station);
    },
  );
  assert.deepEqual(asked.map(({ pathname }) => pathname), [
    "/internal/force_flush",
    "/api/v1/export",
    "/internal/force_flush",
    "/api/v1/export",
  ]);
  const [, first, , second] = asked;
  assert.equal(first!.searchParams.get("match[]"), '{__name__="bench_seq",device!=""}');
  assert.equal(first!.searchParams.get("start"), "1767225600.000");
  assert.equal(first!.searchParams.get("end"), "1767225600.010");
  assert.equal(
    second!.searchParams.get("match[]"),
    '{__name__=~".+\\\\.SEQ_value",station!=""}',
  );
});

Deno.test("InfluxDB: chunks of several series, exact to the ns", async () => {
  const asked: { readonly parameters: URLSearchParams; readonly authorization: string | null }[] =
    [];
  const series = (tags: Record<string, string>, values: unknown[][]) => ({
    name: "bench",
    tags,
    columns: ["time", "seq"],
    values,
  });
  const chunks = [
    { results: [{ series: [series({ device: "d0" }, [["2026-01-01T00:00:00.000000001Z", 5]])] }] },
    { results: [{ series: [series({ device: "else" }, [["2026-01-01T00:00:00Z", 6]])] }] },
    { results: [{ statement_id: 0 }] },
  ];
  await withServer(
    (incoming) => {
      asked.push({
        parameters: new URL(incoming.url).searchParams,
        authorization: incoming.headers.get("authorization"),
      });
      return new Response(chunks.map((chunk) => `${JSON.stringify(chunk)}\n`).join(""));
    },
    async (url) => {
      const store = new InfluxDBStore(url.replace("//", "//us%40er:pa%3Ass@"), "my db");
      assert.deepEqual(await all(store), [[0, '["bench",{"device":"d0"}]', 1, 5]]);
      assert.ok(!store.name.includes("ss"), "no secret in the name");
      await all(store, station);
    },
  );
  const [first, second] = asked;
  assert.equal(first!.parameters.get("db"), "my db");
  assert.equal(
    first!.parameters.get("q"),
    'SELECT "seq" FROM "bench" WHERE time >= 1767225600000ms AND time < 1767225600011ms GROUP BY *',
  );
  assert.equal(first!.authorization, `Basic ${btoa("us@er:pa:ss")}`);
  assert.match(second!.parameters.get("q") ?? "", /FROM \/\\\.SEQ\$\/ WHERE/);
});

Deno.test("Sluice: page after page, device after device", async () => {
  const asked: string[] = [];
  await withServer(
    (incoming) => {
      const { searchParams } = new URL(incoming.url);
      const [device, cursor] = [searchParams.get("device"), searchParams.get("cursor")];
      asked.push(`${device} ${searchParams.get("metric")} ${cursor}`);
      assert.equal(searchParams.get("from"), "2026-01-01T00:00:00.000Z");
      assert.equal(searchParams.get("to"), "2026-01-01T00:00:00.011Z");
      const item = (time: string, value: number) => ({ time, device, metric: "seq", value });
      if (device === "d1") return Response.json({ items: [] });
      return cursor === null
        ? Response.json({ items: [item("2026-01-01T00:00:00.000000003Z", 1)], next: "x y" })
        : Response.json({ items: [item("2026-01-01T00:00:00.002Z", 2)] });
    },
    async (url) => {
      assert.deepEqual(await all(new SluiceStore(url)), [[0, "", 3, 1], [0, "", 2e6, 2]]);
    },
  );
  assert.deepEqual(asked, ["d0 seq null", "d0 seq x y", "d1 seq null"]);
});

Deno.test("stores: each is shown the token, InfluxDB its own user instead", async () => {
  const shown: (string | null)[] = [];
  await withServer(
    ({ headers }) => {
      shown.push(headers.get("authorization"));
      return new Response("no", { status: 401 });
    },
    async (url) => {
      const access = { authorization: "Bearer t" };
      const ofUser = url.replace("//", "//u:p@");
      const stores = [
        new VictoriaMetricsStore(url, access),
        new InfluxDBStore(url, "db", access),
        new SluiceStore(url, access),
        new InfluxDBStore(ofUser, "db", access),
      ];
      for (const store of stores) await assert.rejects(all(store), { message: /answers 401: no/ });
    },
  );
  assert.deepEqual(shown, ["Bearer t", "Bearer t", "Bearer t", `Basic ${btoa("u:p")}`]);
});

Deno.test("stores: an error or another answer is told, not taken for an empty store", async () => {
  const stores = (url: string): SampleStore[] => [
    new VictoriaMetricsStore(url),
    new InfluxDBStore(url, "db"),
    new SluiceStore(url),
  ];
  await withServer(() => new Response("not now", { status: 503 }), async (url) => {
    for (const store of stores(url)) {
      await assert.rejects(all(store), { name: "CommandError", message: /answers 503: not now/ });
    }
  });
  await withServer(() => Response.json({ something: "else" }), async (url) => {
    for (const store of stores(url)) {
      await assert.rejects(all(store), { message: /answers something else: {"something"/ });
    }
  });
  await withServer(() => Response.json({ results: [{ error: "no such db" }] }), async (url) => {
    await assert.rejects(all(new InfluxDBStore(url, "db")), { message: /no such db/ });
  });
  for (const store of stores("http://127.0.0.1:1")) {
    await assert.rejects(all(store), {
      name: "CommandError",
      message: /cannot be reached: .*port 1/,
    });
  }
  await withServer(() => new Response("elsewhere", { status: 501 }), async (url) => {
    await assert.rejects(all(new SluiceStore(url)), { message: /give --store victoriametrics or/ });
  });
});
