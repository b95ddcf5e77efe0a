import assert from "node:assert/strict";
import { parseConfig } from "../config.ts";
import { startLog } from "../gateways/log/log.ts";
import { ManualClock } from "../runtime/clock.ts";
import { HttpAcceptors } from "./http_acceptors.ts";

Deno.test("when one address is taken none is kept open, and all are once it is free", async () => {
  const log = startLog({ level: "error", format: "text", write: () => {} });
  const hostname = "127.0.0.1";
  const taken = Deno.listen({ hostname, port: 0 });
  const free = Deno.listen({ hostname, port: 0 });
  free.close();
  const { config } = await parseConfig({});
  const plain = { hostname, port: free.addr.port };
  const clock = new ManualClock();
  const acceptors = new HttpAcceptors({
    config: config.http,
    plain,
    secure: { hostname, port: taken.addr.port },
    clock,
    certificatesChanged: () => {},
  });
  await assert.rejects(acceptors.open(), Deno.errors.AddrInUse);
  assert.equal(clock.pending, 0);
  Deno.listen(plain).close();
  taken.close();
  const opened = await acceptors.open();
  assert.equal(opened.length, 2);
  for (const acceptor of opened) acceptor.close();
  log.close();
});
