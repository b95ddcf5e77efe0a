/**
 * The Grafana dashboards' own queries, put to a real InfluxDB that Sluice has written to, and to
 * Sluice's own metrics. What Grafana does with the answers is told by the panels' settings.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startInfluxd } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { influxQuery } from "../support/influxdb.ts";
import { RawClient } from "../support/raw_mqtt.ts";
import { settledBooks, startSluice } from "../support/sluice.ts";

interface Panel {
  readonly type: string;
  readonly interval?: string;
  readonly targets: readonly {
    readonly query?: string;
    readonly alias?: string;
    readonly expr?: string;
  }[];
  readonly transformations?: readonly { readonly id: string; readonly options: unknown }[];
}

interface Dashboard {
  readonly title: string;
  readonly refresh: string;
  readonly time: { readonly from: string };
  readonly panels: readonly Panel[];
}

async function dashboard(name: string): Promise<Dashboard> {
  const file = new URL(`../../deploy/grafana/dashboards/${name}.json`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(file));
}

interface Series {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly [string, number])[];
}

/** A panel's query as Grafana puts it, and the names its series get there. */
async function shown(url: string, panel: Panel): Promise<Map<string, Series[]>> {
  const [target] = panel.targets;
  assert.ok(target?.query !== undefined && target.alias !== undefined);
  assert.equal(panel.interval, "1s");
  const statement = target.query.replaceAll("$timeFilter", "time > now() - 6h");
  assert.doesNotMatch(statement.replaceAll("/\\.BAT$/", ""), /\$/, "a macro that nobody fills in");
  const answer = JSON.parse(await influxQuery(url, statement));
  const named = new Map<string, Series[]>();
  for (const series of (answer.results[0].series ?? []) as Series[]) {
    const name = target.alias
      .replaceAll(/\$tag_(\w+)/g, (_, tag: string) => series.tags?.[tag] ?? "")
      .replaceAll("$m", series.name);
    named.set(name, [...(named.get(name) ?? []), series]);
  }
  return named;
}

testWith(
  ["influxd"],
  "Grafana: the dashboards show what contracts promise, with new stations and metrics by themselves",
  async () => {
    await using store = await startInfluxd();
    await influxQuery(store.url, "CREATE DATABASE sluice");
    await using sluice = await startSluice({ config: { influx: { url: store.url } } });
    using client = await RawClient.connect(sluice.mqttPort);
    const secondMs = Math.floor(Date.now() / 1000) * 1000 - 60_000;
    const send = (topic: string, metrics: Record<string, number>, offsetMs: number) =>
      client.publish(
        topic,
        JSON.stringify({ ...metrics, timestamp: new Date(secondMs + offsetMs).toISOString() }),
      );
    await send("UPB/RPi_1", { BAT: 90, TEMP: 20 }, 0);
    await send("UPB/RPi_1", { BAT: 80, TEMP: 30 }, 500);
    await send("UPB/RPi_1", { BAT: 70 }, 1_000);
    await send("Dorinel/RPi_1", { BAT: 10, BATTERY: 1, XBAT: 2, bat: 3 }, 0);
    await send("UPB/Zeus", { AQI: 12 }, 2_000);
    await send("UPB/Zeus.X", { Y: 1 }, 0);
    await send("UPB/Zeus", { "X.Y": 3 }, 0);
    await settledBooks(sluice.httpUrl);

    const upb = await dashboard("upb_iot_data");
    assert.deepEqual([upb.title, upb.time.from, upb.refresh], ["UPB IoT Data", "now-6h", "30s"]);
    assert.deepEqual(upb.panels.map(({ type }) => type), ["timeseries", "table"]);
    for (const panel of upb.panels) {
      const series = await shown(store.url, panel);
      const names = ["RPi_1.BAT", "RPi_1.TEMP", "Zeus.AQI", "Zeus.X.Y"];
      assert.deepEqual([...series.keys()].sort(), names);
      const means = series.get("RPi_1.BAT")!.map(({ values }) => values.map(([, mean]) => mean));
      assert.deepEqual(means, [[85, 70]], "the mean of each second");
      const both = series.get("Zeus.X.Y")!.map(({ values }) => values[0]![1]);
      assert.deepEqual(both.sort(), [1, 3], "one name of two stations: two series");
    }
    assert.deepEqual(upb.panels[1]!.transformations![0], {
      id: "joinByField",
      options: { byField: "Time", mode: "outer" },
    });

    const battery = await dashboard("battery_dashboard");
    assert.deepEqual(
      [battery.title, battery.time.from, battery.refresh],
      ["Battery Dashboard", "now-48h", "30m"],
    );
    assert.deepEqual(battery.panels.map(({ type }) => type), ["timeseries", "table"]);
    for (const panel of battery.panels) {
      const series = await shown(store.url, panel);
      assert.deepEqual([...series.keys()], ["RPi_1"], "every metric named exactly BAT");
      const places = series.get("RPi_1")!.map(({ tags }) => tags?.location);
      assert.deepEqual(places.sort(), ["Dorinel", "UPB"], "one name in two places: two series");
    }
    assert.deepEqual(battery.panels[1]!.transformations![0], {
      id: "reduce",
      options: {
        mode: "seriesToRows",
        labelsToFields: false,
        reducers: ["lastNotNull", "min", "max", "mean"],
      },
    });
  },
);

Deno.test("Grafana: Sluice's own dashboard asks for metrics and labels that there are", async () => {
  await using sluice = await startSluice({});
  using client = await RawClient.connect(sluice.mqttPort);
  await client.publish("UPB/RPi_1", '{"BAT":1}');
  await client.publish("UPB/RPi_1", "not json");
  await settledBooks(sluice.httpUrl);
  const metrics = await (await fetch(`${sluice.httpUrl}/metrics`)).text();
  const names = new Set(metrics.matchAll(/^(sluice_\w+)/gm).map(([, name]) => name));
  const { panels } = await dashboard("sluice");
  const asked = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr ?? ""));
  assert.ok(asked.length >= panels.length);
  for (const expr of asked) {
    for (const [name] of expr.matchAll(/sluice_\w+/g)) {
      assert.ok(names.has(name), `${name} is not in /metrics`);
    }
    const by = /by \((\w+)\)/.exec(expr)?.[1];
    const name = /sluice_\w+/.exec(expr)![0];
    if (by !== undefined && by !== "le") {
      assert.match(metrics, new RegExp(`^${name}\\{[^}]*\\b${by}="`, "m"), `${name} by ${by}`);
    }
  }
});
