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
    door: { enter: () => undefined, left: () => {} },
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

Deno.test("who is not let in is closed before TLS begins, and who is leaves again", async () => {
  const log = startLog({ level: "error", format: "text", write: () => {} });
  const hostname = "127.0.0.1";
  const free = Deno.listen({ hostname, port: 0 });
  const { port } = free.addr;
  free.close();
  const { config } = await parseConfig({});
  const said: string[] = [];
  let full = true;
  const acceptors = new HttpAcceptors({
    config: config.http,
    plain: undefined,
    secure: { hostname, port },
    clock: new ManualClock(),
    door: {
      enter: (address) => {
        said.push(`enter ${address}`);
        return full ? "address_max" : undefined;
      },
      left: (address) => said.push(`left ${address}`),
    },
    certificatesChanged: () => {},
  });
  const [acceptor] = await acceptors.open();
  assert.ok(acceptor);
  const arrived = acceptor.accept();
  const silent = async () => {
    using client = await Deno.connect({ hostname, port });
    return await client.read(new Uint8Array(1));
  };
  const refused = (why: string) =>
    acceptors.counters()[`sluice_http_tls_refused_total{reason="${why}"}`];
  assert.equal(await silent(), null, "it has not said a word");
  assert.deepEqual([said.splice(0), refused("limit")], [["enter 127.0.0.1"], 1]);
  full = false;
  assert.equal(await silent(), null, "there is no certificate");
  assert.deepEqual(said, ["enter 127.0.0.1", "left 127.0.0.1"]);
  assert.deepEqual([refused("limit"), refused("handshake")], [1, 1]);
  acceptor.close();
  await assert.rejects(arrived, /the listener is closed/);
  log.close();
});
