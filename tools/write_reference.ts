/**
 * Writes what is made from tables: docs/configuration.md and schema/sluice.schema.json from the
 * options, docs/mqtt-conformance.md from MQTT's statements and the tests that show them,
 * docs/reliability.md from the faults and the tests that show them, docs/metrics.md from what the
 * metrics say of themselves, schema/openapi.json from the operations of HTTP. With `--check` it only
 * says whether they are current. Either way it says which links of the pages lead nowhere.
 *
 * @module
 */
import manifest from "../deno.json" with { type: "json" };
import { publishedSchema } from "../config/json_schema.ts";
import { options } from "../config/options.ts";
import { referencePage } from "../config/reference.ts";
import { openApiDocument } from "../gateways/http/openapi/document.ts";
import { writeStdout } from "../gateways/log/stdout.ts";
import { conformancePage, problems, type Specification } from "./conformance/page.ts";
import { shownIn } from "./conformance/shown_by.ts";
import { statements311 } from "./conformance/statements_311.ts";
import { statements5 } from "./conformance/statements_5.ts";
import { metricHelp } from "../gateways/http/metric_help.ts";
import { metricProblems, metricsPage } from "./metrics/page.ts";
import { metricSources } from "./metrics/sources.ts";
import { deadLinks } from "./links.ts";
import { projectFiles, readModules } from "./module_graph.ts";
import { faults } from "./reliability/faults.ts";
import { faultProblems, reliabilityPage } from "./reliability/page.ts";

const root = new URL("../", import.meta.url);
const specifications: readonly Specification[] = [
  { version: "5", title: "MQTT 5.0", statements: statements5 },
  { version: "3.1.1", title: "MQTT 3.1.1", statements: statements311 },
];
const modules = await readModules(root);
const tests = [...modules.keys()]
  .filter((path) => path.endsWith("_test.ts") && !path.startsWith("tools/"))
  .toSorted();
const texts = new Map(
  await Promise.all(
    tests.map(async (path) => [path, await Deno.readTextFile(new URL(path, root))] as const),
  ),
);
const shown = [...texts].flatMap(([path, text]) => shownIn(path, text));

const files = [
  ["docs/configuration.md", referencePage(options)],
  ["schema/sluice.schema.json", `${JSON.stringify(publishedSchema(options), undefined, 2)}\n`],
  ["schema/openapi.json", `${JSON.stringify(openApiDocument(manifest.version), undefined, 2)}\n`],
  ["docs/mqtt-conformance.md", conformancePage(specifications, shown)],
  ["docs/reliability.md", reliabilityPage(faults)],
  ["docs/metrics.md", metricsPage(metricHelp)],
] as const;

const paths = new Set(await Array.fromAsync(projectFiles(root)));
const written = new Map<string, string>(files);
const pages = new Map(
  await Promise.all(
    [...paths].filter((path) => path.endsWith(".md")).map(async (path) =>
      [path, written.get(path) ?? await Deno.readTextFile(new URL(path, root))] as const
    ),
  ),
);

const checkOnly = Deno.args.includes("--check");
let wrong = 0;
const found = [
  ...deadLinks(pages, paths),
  ...problems(specifications, shown),
  ...faultProblems(faults, (file) => texts.get(`tests/${file}`)),
  ...metricProblems(await metricSources(root, metricHelp, modules)),
];
for (const problem of found) {
  wrong++;
  writeStdout(`${problem}\n`);
}
for (const [path, text] of files) {
  const url = new URL(path, root);
  if (!checkOnly) {
    await Deno.writeTextFile(url, text);
  } else if (await Deno.readTextFile(url) !== text) {
    wrong++;
    writeStdout(`${path} is not current; run: deno task docs\n`);
  }
}
if (wrong > 0) Deno.exit(1);
