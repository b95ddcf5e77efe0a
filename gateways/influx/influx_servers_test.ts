import assert from "node:assert/strict";
import type { PointBatch, SinkResult } from "../../actors/sink.ts";
import { testWith } from "../testing/programs.ts";
import { startInfluxd, startVictoriaMetrics } from "../testing/servers.ts";
import { InfluxSink } from "./influx_sink.ts";

const never = new AbortController().signal;

async function write(sink: InfluxSink, lines: string): Promise<SinkResult> {
  const bytes = new TextEncoder().encode(lines);
  const batch: PointBatch = {
    lines: bytes,
    count: 1,
    lineEnds: Uint32Array.of(bytes.length),
    deviceOf: Uint32Array.of(0),
    devices: ["d"],
  };
  return await sink.write([batch], never);
}

async function query(url: string, q: string): Promise<string> {
  const response = await fetch(`${url}/query?db=iot&epoch=ns`, {
    method: "POST",
    body: new URLSearchParams({ q }),
  });
  return await response.text();
}

/** VictoriaMetrics shows points some time after it took them; sooner when it is told to flush. */
async function exported(url: string): Promise<string> {
  for (;;) {
    await (await fetch(`${url}/internal/force_flush`)).body?.cancel();
    const answer = await (await fetch(`${url}/api/v1/export?match[]={device="d"}`)).text();
    if (answer !== "") return answer;
    await new Promise((done) => setTimeout(done, 50));
  }
}

testWith(
  ["influxd"],
  "InfluxDB 1.6 stores to the nanosecond, and says what it refuses",
  async () => {
    await using server = await startInfluxd();
    const sink = new InfluxSink({ url: server.url, bucket: "iot", gzip: "on" });
    try {
      const missing = await sink.probe(never);
      assert.equal(missing.ok, false);
      assert.match(missing.reason!, /database not found/);
      await query(server.url, "CREATE DATABASE iot");
      assert.deepEqual(await sink.probe(never), { ok: true });

      const line = "m,device=d v=1.5 1700000000123456789\n";
      assert.deepEqual(await write(sink, line), { kind: "stored" });
      assert.deepEqual(await write(sink, line), { kind: "stored" });
      assert.match(
        await query(server.url, "SELECT * FROM m"),
        /\[\[1700000000123456789,"d",1.5\]\]/,
      );

      const conflict = await write(
        sink,
        'm v="text" 1700000000000000000\nother v=2 1700000000000000001\n',
      );
      assert.ok(conflict.kind === "rejected" && conflict.partial);
      assert.match(conflict.reason, /field type conflict/);
      assert.match(await query(server.url, "SELECT v FROM other"), /1700000000000000001,2/);
      const unparsable = await write(sink, "nonsense\n");
      assert.ok(unparsable.kind === "rejected" && !unparsable.partial);
    } finally {
      await sink.close();
    }
  },
);

testWith(["influxd"], "InfluxDB 1.6 with wrong credentials is a misconfiguration", async () => {
  await using server = await startInfluxd({ INFLUXDB_HTTP_AUTH_ENABLED: "true" });
  await query(server.url, "CREATE USER root WITH PASSWORD 'secret' WITH ALL PRIVILEGES");
  const host = server.url.slice("http://".length);
  for (const [pair, status] of [["root:wrong", "401"], ["root:secret", "404"]]) {
    const sink = new InfluxSink({ url: `http://${pair}@${host}`, bucket: "iot" });
    const result = await write(sink, "m v=1 1\n");
    await sink.close();
    assert.ok(result.kind === "misconfigured");
    assert.ok(result.reason.startsWith(status!), result.reason);
  }
});

testWith(["victoria-metrics"], "VictoriaMetrics stores, and its restart is noticed", async () => {
  await using server = await startVictoriaMetrics();
  const sink = new InfluxSink({ url: server.url, bucket: "iot" });
  try {
    assert.deepEqual(await sink.probe(never), { ok: true });
    let lost = Promise.withResolvers<void>();
    sink.watch(() => lost.resolve());
    const nowMs = Date.now();
    assert.deepEqual(await write(sink, `m,device=d v=1.5 ${nowMs}000000\n`), { kind: "stored" });
    assert.deepEqual(JSON.parse(await exported(server.url)), {
      metric: { __name__: "m_v", device: "d" },
      values: [1.5],
      timestamps: [nowMs],
    });
    for (let crash = 1; crash <= 2; crash++) {
      lost = Promise.withResolvers();
      await server.kill();
      assert.equal((await write(sink, "m v=1\n")).kind, "retry");
      await server.restart();
      await lost.promise;
      assert.deepEqual(await sink.probe(never), { ok: true });
    }
  } finally {
    await sink.close();
  }
});
