/**
 * docs/metrics.md: every metric with what it means, and whether all that speaks of metrics speaks of
 * these.
 *
 * @module
 */

const head = `# Metrics

What \`GET /metrics\` tells, in Prometheus' text format. Every sample has the label \`gateway\`, and
all but those of the process \`shard\`: its number, \`http\` or \`main\`. A counter never falls while the
process runs, also when a shard is started anew; bytes and seconds are in the name. \`*\` stands for a
reason. At any moment
\`received = settled (all outcomes) + spool + in flight\` ([ARCHITECTURE.md](../ARCHITECTURE.md)).

Written by \`deno task docs\` from \`gateways/http/metric_help.ts\`; \`deno task docs --check\` fails for
a metric in the code that is not here, one here that is not in the code, and for rules, dashboards,
pages and tests that ask for one there is not.
`;

export function metricsPage(help: Readonly<Record<string, string>>): string {
  const rows = Object.entries(help).map(([name, text]) =>
    `| \`${name}\` | ${kindOf(name)} | ${text.replaceAll("*", "the reason")} |`
  );
  return [head, "| name | kind | meaning |", "| --- | --- | --- |", ...rows, ""].join("\n");
}

/** As the names say; promtool holds them to it. */
function kindOf(name: string): string {
  if (name.endsWith("_total")) return "counter";
  return /^sluice_.*_seconds$/.test(name) ? "histogram" : "gauge";
}

/** Texts by the paths of their files. */
export type Texts = ReadonlyMap<string, string>;

export interface MetricSources {
  readonly help: Readonly<Record<string, string>>;
  /** The service's own code, without the table. */
  readonly code: Texts;
  /** Tests and what measures: a metric that is not there would be 0 to them. */
  readonly readers: Texts;
  /** Pages, rules and dashboards. */
  readonly pages: Texts;
  /** Names of other things that begin as metrics do. */
  readonly others: ReadonlySet<string>;
}

/** One sentence for each metric that is not told of, not there, or without its unit. */
export function metricProblems({ help, code, readers, pages, others }: MetricSources): string[] {
  const found: string[] = [];
  const known = Object.keys(help);
  const isKnown = matcher(known);
  const made = new Set<string>();
  for (const [path, text] of code) {
    for (const name of namesIn(text)) {
      if (others.has(name)) continue;
      made.add(name);
      if (!isKnown(name)) found.push(`${path}: ${name} is not in gateways/http/metric_help.ts`);
    }
  }
  for (const name of known) {
    if (!made.has(name)) found.push(`gateways/http/metric_help.ts: ${name} is not in the code`);
    if (!hasUnit(name, help[name]!)) {
      found.push(`gateways/http/metric_help.ts: ${name} does not say its unit`);
    }
  }
  for (const [path, text] of pages) {
    for (const name of namesIn(text)) {
      if (!others.has(name) && !isKnown(name)) found.push(`${path}: there is no metric ${name}`);
    }
  }
  for (const [path, text] of readers) {
    for (const name of namesIn(text)) {
      if (/_(total|bytes|seconds)$/.test(name) && !isKnown(name)) {
        found.push(`${path}: there is no metric ${name}`);
      }
    }
  }
  return [...new Set(found)];
}

/** Names as code and pages write them; what is put in (`${…}`, `{reason}`) is `*`. */
function namesIn(text: string): string[] {
  const form = /\b(?:sluice|process)_[a-z0-9_]+(?:(?:\$\{[^}]*\}|\*|\{\w+\})[a-z0-9_]+)*/g;
  return [...text.matchAll(form)]
    .map(([name]) => name.replace(/\$\{[^}]*\}|\{\w+\}/g, "*"))
    // A prefix, or what comes of a histogram.
    .filter((name) => !name.endsWith("_"))
    .map((name) => name.replace(/(_seconds)_(?:bucket|sum|count)$/, "$1"));
}

function matcher(known: readonly string[]): (name: string) => boolean {
  const exact = new Set(known);
  const families = known.filter((name) => name.includes("*"))
    .map((name) => new RegExp(`^${name.replace("*", "\\w+")}$`));
  return (name) => exact.has(name) || families.some((family) => family.test(name));
}

const hasUnit = (name: string, text: string): boolean =>
  (!/_bytes(_total)?$/.test(name) || /\bbytes\b/i.test(text)) &&
  (!/_seconds(_total)?$/.test(name) || /\bseconds\b/i.test(text));
