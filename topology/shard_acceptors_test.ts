import assert from "node:assert/strict";
import { parseConfig } from "../config.ts";
import { startLog } from "../gateways/log/log.ts";
import { EndpointStats } from "../gateways/mqtt/endpoint/endpoint_stats.ts";
import { TestAuthority } from "../gateways/testing/certificates.ts";
import { testWith } from "../gateways/testing/programs.ts";
import { ManualClock } from "../runtime/clock.ts";
import { importClientTls, ShardAcceptors } from "./shard_acceptors.ts";

const hostname = "127.0.0.1";

function freeAddress(): { hostname: string; port: number } {
  using listener = Deno.listen({ hostname, port: 0 });
  return { hostname, port: listener.addr.port };
}

/** Neither does anybody listen there: reusePort is not asked for. */
const assertFree = (address: { hostname: string; port: number }): void =>
  Deno.listen(address).close();

for (const clientCertificates of [false, true]) {
  const asked = clientCertificates ? "asked for" : "not asked for";
  testWith(
    ["openssl"],
    `a shard without a good certificate listens without TLS until there is one, clients' ${asked}`,
    async () => {
      const log = startLog({ level: "error", format: "text", write: () => {} });
      const directory = await Deno.makeTempDir();
      const authority = await TestAuthority.make(directory, "ours");
      await authority.issue("server", { extensions: ["subjectAltName=IP:127.0.0.1"] });
      await authority.issue("other");
      const [mqtt, mqttTls] = [freeAddress(), freeAddress()];
      const certFile = `${directory}/used.crt`;
      const { config } = await parseConfig({
        mqtt: {
          tls: {
            listen: `${hostname}:${mqttTls.port}`,
            certFile,
            keyFile: `${directory}/server.key`,
            ...(clientCertificates && {
              clientCaFile: `${directory}/ours.crt`,
              clientCertificate: "optional",
            }),
          },
        },
      });
      const clock = new ManualClock();
      const stats = new EndpointStats();
      const init = { mqtt, mqttTls, sessionPath: undefined, config };
      const acceptors = new ShardAcceptors({
        init,
        stats,
        clock,
        clientTls: await importClientTls(config),
        door: undefined,
        certificatesChanged: () => {},
      });
      for (const bad of [undefined, "text", "other"]) {
        if (bad === "text") await Deno.writeTextFile(certFile, "no certificate");
        if (bad === "other") await Deno.copyFile(`${directory}/other.crt`, certFile);
        const opened = acceptors.open();
        const [plain] = opened;
        const arriving = plain!.accept();
        using _client = await Deno.connect(mqtt);
        (await arriving).connection.close();
        assertFree(mqttTls);
        for (const acceptor of opened) acceptor.close();
        assert.equal(clock.pending, 0);
        assertFree(mqtt);
      }
      assert.equal(stats.tlsReloadFailures, 3);

      const opened = acceptors.open();
      await Deno.copyFile(`${directory}/server.crt`, certFile);
      const arriving = opened[1]!.accept();
      assert.equal(await acceptors.reload(), "taken");
      const caCerts = [await Deno.readTextFile(`${directory}/ours.crt`)];
      using client = await Deno.connectTls({ ...mqttTls, caCerts });
      const written = client.write(new Uint8Array([1]));
      const { connection } = await arriving;
      assert.equal(await connection.read(new Uint8Array(1)), 1);
      await written;
      connection.close();
      for (const acceptor of opened) acceptor.close();
      await Deno.remove(directory, { recursive: true });
      log.close();
    },
  );
}

Deno.test("a shard whose TLS port is taken listens nowhere, so that it can be tried again", async () => {
  using taken = Deno.listen({ hostname, port: 0 });
  const mqtt = freeAddress();
  const mqttTls = { hostname, port: taken.addr.port };
  const { config } = await parseConfig({
    mqtt: { tls: { listen: `${hostname}:${mqttTls.port}`, certFile: "none", keyFile: "none" } },
  });
  const acceptors = new ShardAcceptors({
    init: { mqtt, mqttTls, sessionPath: undefined, config },
    stats: new EndpointStats(),
    clock: new ManualClock(),
    clientTls: undefined,
    door: undefined,
    certificatesChanged: () => {},
  });
  assert.throws(() => acceptors.open(), Deno.errors.AddrInUse);
  assertFree(mqtt);
});
