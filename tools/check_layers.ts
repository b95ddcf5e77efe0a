/**
 * Fails when an import runs against the layers, a file is dead, or a rule of form is broken.
 *
 * @module
 */
import { writeStdout } from "../gateways/log/stdout.ts";
import { complaints } from "./layers.ts";
import { readModules } from "./module_graph.ts";

const modules = await readModules(new URL("../", import.meta.url));
const found = complaints(modules);
for (const complaint of found) writeStdout(`${complaint}\n`);
if (found.length > 0) Deno.exit(1);
writeStdout(`${modules.size} files, layers kept\n`);
