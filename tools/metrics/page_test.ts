import assert from "node:assert/strict";
import { metricProblems, type MetricSources, metricsPage } from "./page.ts";

const sources = (changes: Partial<MetricSources>): MetricSources => ({
  help: {
    sluice_a_total: "Things.",
    sluice_b_bytes: "Bytes of things.",
    "sluice_ended_*_total": "Ended: *.",
    sluice_c_seconds: "Seconds of things.",
  },
  code: new Map([[
    "a.ts",
    '"sluice_a_total", sluice_b_bytes: 1, `sluice_ended_${why}_total`, "sluice_c_seconds"',
  ]]),
  readers: new Map(),
  pages: new Map(),
  others: new Set(["sluice_accounts"]),
  ...changes,
});

const cases: readonly (readonly [string, Partial<MetricSources>, RegExp[]])[] = [
  ["all is well", {}, []],
  [
    "a metric that is not told of",
    { code: new Map([...sources({}).code, ["b.ts", '`sluice_new_total{reason="${why}"}`']]) },
    [/^b\.ts: sluice_new_total is not in/],
  ],
  ["one that is no more", { help: { ...sources({}).help, sluice_old_total: "Old." } }, [
    /sluice_old_total is not in the code/,
  ]],
  ["no unit", { help: { ...sources({}).help, sluice_b_bytes: "Things." } }, [
    /sluice_b_bytes does not say its unit/,
  ]],
  ["no unit of time", { help: { ...sources({}).help, sluice_c_seconds: "Time." } }, [
    /sluice_c_seconds does not say its unit/,
  ]],
  [
    "a rule, a page and a family",
    {
      pages: new Map([
        [
          "rules.yml",
          "rate(sluice_a_total[5m]) > sluice_ended_slow_total + sluice_c_seconds_sum",
        ],
        ["bad.json", "sluice_c_seconds_bucket sluice_a_totals"],
        [
          "page.md",
          "`sluice_ended_{reason}_total{shard}`, `sluice_a_total{reason}`, sluice_accounts",
        ],
      ]),
    },
    [/^bad\.json: there is no metric sluice_a_totals$/],
  ],
  [
    "a test that looks for what is not there",
    { readers: new Map([["x_test.ts", '"sluice_z_total" "sluice_input_" "sluice_dir"']]) },
    [/^x_test\.ts: there is no metric sluice_z_total$/],
  ],
];

for (const [name, changes, expected] of cases) {
  Deno.test(`metrics: ${name}`, () => {
    const found = metricProblems(sources(changes));
    assert.equal(found.length, expected.length, found.join("\n"));
    for (const [i, form] of expected.entries()) assert.match(found[i]!, form);
  });
}

Deno.test("the page of metrics has a row for each, with its kind", () => {
  const page = metricsPage(sources({}).help);
  assert.match(page, /^\| `sluice_a_total` \| counter \| Things\. \|$/m);
  assert.match(page, /^\| `sluice_ended_\*_total` \| counter \| Ended: the reason\. \|$/m);
  assert.match(page, /^\| `sluice_c_seconds` \| histogram \| Seconds of things\. \|$/m);
  assert.match(page, /^\| `sluice_b_bytes` \| gauge \| Bytes of things\. \|$/m);
});
