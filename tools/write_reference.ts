/**
 * Writes what is made from the option table: docs/configuration.md and schema/sluice.schema.json.
 * With `--check` it only says whether they are current.
 *
 * @module
 */
import { publishedSchema } from "../config/json_schema.ts";
import { options } from "../config/options.ts";
import { referencePage } from "../config/reference.ts";
import { writeStdout } from "../gateways/log/log.ts";

const files = [
  ["docs/configuration.md", referencePage(options)],
  ["schema/sluice.schema.json", `${JSON.stringify(publishedSchema(options), undefined, 2)}\n`],
] as const;

const checkOnly = Deno.args.includes("--check");
let stale = 0;
for (const [path, text] of files) {
  const url = new URL(`../${path}`, import.meta.url);
  if (!checkOnly) {
    await Deno.writeTextFile(url, text);
  } else if (await Deno.readTextFile(url) !== text) {
    stale++;
    writeStdout(`${path} is not current; run: deno task docs\n`);
  }
}
if (stale > 0) Deno.exit(1);
