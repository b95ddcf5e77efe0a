import assert from "node:assert/strict";
import { DeadLetters } from "./dead_letters.ts";
import { Link } from "./remote_link.ts";
import { PublishedNames } from "./remote_names.ts";

Deno.test("a hundred thousand messages reach another Worker, within a small window", async () => {
  const url = new URL("./testing/count_entry.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  await new Promise((loaded) => worker.onmessage = loaded);
  const { port1, port2 } = new MessageChannel();
  const bare = new MessageChannel();
  worker.postMessage({ linked: port2, bare: bare.port2 }, [port2, bare.port2]);
  const deadLetters = new DeadLetters();
  const link = new Link(port1, { peer: "counter", names: new PublishedNames(), deadLetters });
  const counted = Promise.withResolvers<unknown>();
  let goOn = () => {};
  link.open({ credit: () => goOn(), control: counted.resolve, lost: counted.reject });
  const ref = link.ref<unknown>("counter");
  let refused = 0;
  for (let i = 0; i < 100_000;) {
    if (ref.tell({ kind: "tick", n: i }) === "accepted") i++;
    else {
      refused++;
      await new Promise<void>((resolve) => goOn = resolve);
    }
  }
  assert.equal(await counted.promise, 100_000);
  assert.ok(refused > 0, "the window was never full");
  assert.equal(deadLetters.byReason.size, 0);
  link.close("done");
  bare.port1.close();
  worker.terminate();
});
