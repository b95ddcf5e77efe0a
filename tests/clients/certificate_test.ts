/**
 * Certificates of `mqtt.tls` are replaced while sessions go on.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connectAsync, type MqttClient } from "mqtt";
import { freePort } from "../../gateways/testing/server_process.ts";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import { temporaryDirectory } from "../support/run.ts";
import { assertConserved, metrics, settledBooks, startSluice, until } from "../support/sluice.ts";

/** Makes `<name>.crt`, good for 127.0.0.1, and `<name>.key`; gives the certificate. */
async function makePair(directory: string, name: string): Promise<string> {
  const { success, stderr } = await new Deno.Command(findProgram("openssl"), {
    args: ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
      .concat(["-keyout", `${name}.key`, "-out", `${name}.crt`, "-days", "2", "-subj"])
      .concat([`/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"])
      .concat(["-addext", "basicConstraints=CA:FALSE"]),
    cwd: directory,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return await Deno.readTextFile(`${directory}/${name}.crt`);
}

testWith(
  ["openssl"],
  "a new certificate is shown to new connections, and old ones go on",
  async () => {
    await using directory = await temporaryDirectory();
    const { path } = directory;
    const port = freePort();
    const [old, renewed] = [await makePair(path, "old"), await makePair(path, "new")];
    // A file is replaced as tools do it, whole.
    const put = async (from: string, to: string): Promise<void> => {
      await Deno.copyFile(`${path}/${from}`, `${path}/${to}.next`);
      await Deno.rename(`${path}/${to}.next`, `${path}/${to}`);
    };
    await put("old.crt", "cert.pem");
    await put("old.key", "key.pem");
    const files = { certFile: `${path}/cert.pem`, keyFile: `${path}/key.pem` };
    await using sluice = await startSluice({
      config: {
        shards: 2,
        mqtt: { listen: "", tls: { listen: `127.0.0.1:${port}`, ...files, reloadMs: 200 } },
      },
    });
    const connect = (ca: string): Promise<MqttClient> =>
      connectAsync(
        `mqtts://127.0.0.1:${port}`,
        { ca, reconnectPeriod: 0, connectTimeout: 10_000 },
        false,
      );
    const total = async (name: string): Promise<number> => (await metrics(sluice.httpUrl))(name);
    let sent = 0;
    const publish = (client: MqttClient) =>
      client.publishAsync("arrival/tls", `{"v":${sent++}}`, { qos: 1 });

    const first = await connect(old);
    await publish(first);
    await put("new.crt", "cert.pem"); // Its key is still the old one's.
    await until("both shards have refused it", async () => {
      return await total("sluice_mqtt_tls_reload_failures_total") === 2;
    });
    const second = await connect(old);
    await put("new.key", "key.pem");
    await until("both shards have taken it", async () => {
      return await total("sluice_mqtt_tls_reloads_total") === 2;
    });
    const third = await connect(renewed);
    await assert.rejects(connect(old));
    for (const client of [first, second, third]) {
      await publish(client);
      await client.endAsync();
    }
    assert.equal(await total("sluice_mqtt_tls_reload_failures_total"), 2);
    const books = await settledBooks(sluice.httpUrl);
    assertConserved(books);
    assert.equal(books.received, sent);
  },
);
