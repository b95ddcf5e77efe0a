/**
 * kill -9 at random moments, under load of readings with and without a time of their own, over every
 * transport.
 *
 * @module
 */
import { acknowledging, startFleet } from "./load_fleet.ts";
import { pause, type VerifiedStore } from "./load_run.ts";
import { assertConserved, settledBooks, type Sluice } from "./sluice.ts";

/** For as long as the kills take. */
const flags = { connections: 12, rate: 1_000, window: 20, "duration-s": 900 };
const kills = 4;

/**
 * Readings that were acknowledged must be in the store, and none twice: those with a time of their
 * own, and those that come again with DUP and their packet identifier, under their idempotency key
 * or as the same station's of the same id. `before` is called before each start but the first.
 */
export async function killUnderLoad(
  sluice: Sluice,
  store: VerifiedStore,
  storeUrl: string,
  before: (life: number) => void = () => {},
): Promise<void> {
  await using own = await startFleet(sluice, { ...flags, model: "bench" });
  await using arrival = await startFleet(sluice, { ...flags, model: "arrival" });
  for (let killed = 0; killed < kills; killed++) {
    await acknowledging(sluice, [own, arrival]);
    await pause(Math.random() * 600);
    await sluice.process.kill();
    before(killed);
    await sluice.process.restart();
  }
  own.stop();
  arrival.stop();
  await Promise.all([own.end(), arrival.end()]);
  assertConserved(await settledBooks(sluice.httpUrl));
  await own.verify(store, storeUrl);
  await arrival.verify(store, storeUrl);
}
