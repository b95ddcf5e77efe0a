/**
 * kill -9 with the embedded store, which dies with Sluice.
 *
 * @module
 */
import { killUnderLoad } from "../support/kills.ts";
import { startSluice } from "../support/sluice.ts";

Deno.test("kill -9 at random moments, embedded store: nothing missing, nothing doubled", async () => {
  await using sluice = await startSluice();
  await killUnderLoad(sluice, "sluice", sluice.httpUrl);
});
