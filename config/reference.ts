/**
 * docs/configuration.md, made from the option table.
 *
 * @module
 */
import { label, signingKey } from "./formats.ts";
import type { Option, Section } from "./option.ts";
import { type PlacedOption, placedOptions } from "./table.ts";

const intro = `# Configuration

<!-- Written by \`deno task docs\` from config/options.ts. Change it there. -->

Sluice starts without any configuration. What you want otherwise goes into one JSON file
(\`--config FILE\`, or the variable \`SLUICE_CONFIG\`) or into environment variables, which win over
the file. \`deno task start --print-config\` shows what is in effect, with secrets masked.

\`\`\`json
{
  "$schema": "./schema/sluice.schema.json",
  "broker": { "urls": ["mqtt://127.0.0.1:1884"] },
  "influx": { "url": "http://127.0.0.1:8428" }
}
\`\`\`

With \`$schema\` an editor completes and checks the file. An unknown key, a key that is there twice,
a wrong type, or a sum that cannot work is refused at start, with the path of the key and what is
allowed. Where a variable wins, the file may have an empty text or a placeholder, but no other type:

\`\`\`text
sluice.json:
  - mqtt.lisen: unknown key; did you mean mqtt.listen?
  - spool.keepMs: must be an integer from 0 to 86400000 (ms); it is "30s"
\`\`\`

In variables, lists are separated by commas and \`routes\` is JSON. An empty variable counts as not
set, except for listen addresses, where it turns the listener off.
`;

/** The whole page. */
export function referencePage(root: Section): string {
  const placed = [...placedOptions(root)];
  const top = placed.filter(({ path }) => path.length === 1);
  const sections = Object.entries(root.keys).flatMap(([key, node]) => {
    if (node.kind === "option") return [];
    const own = placed.filter(({ path }) => path.length > 1 && path[0] === key);
    return [`## ${key}\n\n${node.doc}\n\n${table(own)}`];
  });
  return [intro, `## The whole\n\n${table(top)}`, ...sections].join("\n");
}

function table(placed: readonly PlacedOption[]): string {
  const rows = placed.map(({ path, variable, option }) =>
    `| \`${path.join(".")}\` | ${defaultOf(option)} | ${cell(option.doc)}${
      allowed(option)
    } | \`${variable}\` |`
  );
  return ["| key | default | meaning | variable |", "| --- | --- | --- | --- |", ...rows, ""]
    .join("\n");
}

function defaultOf(option: Option): string {
  if (option.default === undefined) return option.defaultDoc ?? "none";
  if (option.default === "") return "off";
  const unit = option.unit === undefined ? "" : ` ${option.unit}`;
  return `\`${JSON.stringify(option.default)}\`${unit}${rounded(option)}`;
}

/** `262144` → ` (256 KiB)`; `900000` ms → ` (15 min)`. */
function rounded({ default: value, unit }: Option): string {
  if (typeof value !== "number" || unit === undefined) return "";
  const steps: readonly (readonly [number, string])[] = unit === "bytes"
    ? [[1024 ** 3, "GiB"], [1024 ** 2, "MiB"], [1024, "KiB"]]
    : unit === "ms"
    ? [[3_600_000, "h"], [60_000, "min"], [1_000, "s"]]
    : [[86_400, "d"], [3_600, "h"], [60, "min"]];
  const step = steps.find(([size]) => value >= size && value % size === 0);
  return step === undefined ? "" : ` (${value / step[0]} ${step[1]})`;
}

/** What is allowed, where the type alone does not say it. */
function allowed({ schema, expects }: Option): string {
  const says = schema.type === "integer" || schema.enum !== undefined ||
    schema.format === signingKey.name || schema.format === label.name;
  return says ? ` Allowed: ${cell(expects)}.` : "";
}

const cell = (text: string): string => text.replaceAll("|", "\\|");
