import assert from "node:assert/strict";
import { bansMemory } from "../actors/rates/bans.ts";
import { BanTable } from "../actors/rates/ban_table.ts";
import { rateKey } from "../actors/rates/rate_key.ts";
import { startLog } from "../gateways/log/log.ts";
import { ManualClock } from "../runtime/clock.ts";
import { ServiceBans } from "./service_bans.ts";

const specs = { client: undefined, account: undefined, address: undefined, banMs: 1 };

Deno.test("bans outlive the process, until their time; a damaged file is none", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const file = `${dir}/bans.json`;
    const clock = new ManualClock();
    const first = new ServiceBans(bansMemory(specs, 1), file, clock);
    const sinceMs = clock.now();
    const of = (key: string, forMs: number) =>
      ({ key, subject: "address", reason: "flapping", sinceMs, untilMs: sinceMs + forMs }) as const;
    first.tell(of("address:10.0.0.1", 60_000));
    first.tell(of("address:10.0.0.2", 600_000));
    clock.advance(500);
    first.list.lift("address:10.0.0.3");
    assert.equal(clock.pending, 0, "it is written");

    clock.advance(60_000);
    const memory = bansMemory(specs, 2);
    const second = new ServiceBans(memory, file, clock);
    assert.deepEqual(second.list.current, [of("address:10.0.0.2", 600_000)]);
    const key = rateKey("address:10.0.0.2", 2);
    assert.ok(new BanTable(memory.bans).untilMs(key, clock.now()) > 0, "it holds");
    second.list.lift("address:10.0.0.2");
    second.stop();
    assert.equal(await Deno.readTextFile(file), "[]");

    await Deno.writeTextFile(file, "{");
    const lines: string[] = [];
    const log = startLog({ level: "error", format: "text", write: (line) => lines.push(line) });
    assert.deepEqual(new ServiceBans(memory, file, clock).list.current, []);
    log.close();
    assert.match(lines.join(), /cannot read the bans/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
