import assert from "node:assert/strict";
import { openForReading } from "./store_database.ts";

const entry = new URL("./testing/writing_entry.ts", import.meta.url);

/** Runs the writing process until it has said `count` numbers, and kills it; the last one said. */
async function writeAndKill(path: string, first: number, count: number): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      entry.href,
      path,
      `${first}`,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let said = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += chunk;
    if (said.split("\n").length > count) break;
  }
  child.kill("SIGKILL");
  await child.status;
  return Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1));
}

Deno.test("every point that the store said yes to survives kill -9", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sluice_crash_" });
  const path = `${dir}/store.db`;
  try {
    let first = 0;
    for (const count of [1, 50, 200]) {
      const last = await writeAndKill(path, first, count);
      const database = openForReading(path);
      const rows = database.prepare("SELECT time, v0 FROM points ORDER BY time").all();
      database.close();
      assert.ok(rows.length > last, `${last} was said, ${rows.length} points are there`);
      assert.ok(rows.every(({ time, v0 }, i) => time === i && v0 === i));
      first = rows.length;
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
