/**
 * What saving the states of 256 devices costs, of 100,000 that are in the file: in whatever order,
 * and in that of their ids. `deno bench -A gateways/store/device_states_bench.ts`
 *
 * @module
 */
import { DeviceStates } from "./device_states.ts";

const count = 100_000;
const chunk = 256;

const directory = Deno.makeTempDirSync({ prefix: "sluice_bench_" });
globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
const states = new DeviceStates(`${directory}/devices.db`);
const saved = "A".repeat(300);
const inOrder = Array.from({ length: count }, (_, i) => `device_${i}`).sort();
const inAnyOrder = inOrder.map((_, i) => inOrder[i * 7_919 % count]!);
const chunksOf = (ids: readonly string[]): (readonly [string, string])[][] => {
  const rows = ids.map((id) => [id, saved] as const);
  return Array.from(
    { length: count / chunk | 0 },
    (_, i) => rows.slice(i * chunk, (i + 1) * chunk),
  );
};
const any = chunksOf(inAnyOrder);
const ordered = chunksOf(inOrder);
for (const rows of ordered) states.save(rows);

let next = 0;
Deno.bench("256 devices, in any order", () => states.save(any[next++ % any.length]!));
Deno.bench("256 devices, in the order of their ids", () => {
  states.save(ordered[next++ % ordered.length]!);
});
