/** The data directory goes while Sluice runs. */
import assert from "node:assert/strict";
import { startSluice, until } from "../support/sluice.ts";

Deno.test("a data directory that is moved away ends the service, in order and with a word", async () => {
  await using sluice = await startSluice({ config: { shards: 1 } });
  const { process, dataDir } = sluice;
  await Deno.rename(dataDir, `${dataDir}.moved`);
  await until("the end", () => !process.alive);
  assert.match(process.log, /data was deleted, moved or replaced while the service runs/);
  assert.equal(await process.stop(), 73);
});
