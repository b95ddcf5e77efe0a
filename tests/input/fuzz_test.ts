/** A bounded part of `deno task fuzz --sockets`: a Sluice that runs, and clients beside it. */
import { Bystanders } from "../support/input.ts";
import { fuzzSockets } from "../support/socket_fuzz.ts";
import { startSluice } from "../support/sluice.ts";

Deno.test("mutated packets over sockets: the process stays, others do not notice", async () => {
  await using sluice = await startSluice();
  using bystanders = await Bystanders.join(sluice);
  for (const seed of [1, 1_001]) {
    await fuzzSockets(sluice.mqttPort, seed, 1_000);
    await bystanders.undisturbed();
  }
});
