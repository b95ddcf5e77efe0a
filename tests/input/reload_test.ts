/**
 * SIGHUP: what is taken anew while the service runs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connectAsync, type MqttClient } from "mqtt";
import { TestAuthority } from "../../gateways/testing/certificates.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { freePort } from "../../gateways/testing/server_process.ts";
import { temporaryDirectory } from "../support/run.ts";
import { metrics, startSluice, until } from "../support/sluice.ts";

testWith(["openssl"], "SIGHUP takes new certificates and says what takes a restart", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const read = (file: string): string => Deno.readTextFileSync(`${path}/${file}`);
  for (const name of ["old", "renewed"]) {
    const authority = await TestAuthority.make(path, name);
    await authority.issue(`${name}_server`, { extensions: ["subjectAltName=IP:127.0.0.1"] });
  }
  const put = async (name: string): Promise<void> => {
    await Deno.copyFile(`${path}/${name}_server.crt`, `${path}/cert.pem`);
    await Deno.copyFile(`${path}/${name}_server.key`, `${path}/key.pem`);
  };
  await put("old");
  const port = freePort();
  const files = { certFile: `${path}/cert.pem`, keyFile: `${path}/key.pem` };
  const tls = { listen: `127.0.0.1:${port}`, ...files, reloadMs: 86_400_000 };
  await using sluice = await startSluice({
    config: { shards: 2, mqtt: { listen: "", tls } },
  });
  const { process, httpUrl } = sluice;
  const connect = (authority: string): Promise<MqttClient> =>
    connectAsync(`mqtts://127.0.0.1:${port}`, {
      ca: read(`${authority}.crt`),
      reconnectPeriod: 0,
      connectTimeout: 10_000,
    }, false);
  const hangUp = async (said: string): Promise<void> => {
    Deno.kill(process.pid, "SIGHUP");
    await until(said, () => process.log.includes(said));
  };

  const first = await connect("old");
  await hangUp("configuration: unchanged");
  assert.match(process.log, /certificates: unchanged/);
  await put("renewed");
  await hangUp("certificates: new ones were taken");
  assert.equal((await metrics(httpUrl))("sluice_mqtt_tls_reloads_total"), 2);
  const second = await connect("renewed");
  await assert.rejects(connect("old"));
  for (const client of [first, second]) {
    await client.publishAsync("arrival/reload", '{"v":1}', { qos: 1 });
    await client.endAsync();
  }

  await Deno.writeTextFile(`${path}/key.pem`, "no key");
  const file = `${process.dir}/sluice.json`;
  const config = JSON.parse(await Deno.readTextFile(file));
  await Deno.writeTextFile(file, JSON.stringify({ ...config, shards: 3 }));
  await hangUp("these options have changed");
  assert.match(process.log, /not all certificates could be taken/);
  assert.match(process.log, /options=.*shards/);
  await Deno.writeTextFile(file, JSON.stringify({ ...config, shard: 3 }));
  await hangUp("it has mistakes, a restart would fail");
  assert.match(process.log, /shard: unknown key/);
});
