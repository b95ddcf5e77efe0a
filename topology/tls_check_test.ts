import assert from "node:assert/strict";
import { type Config, ConfigError, parseConfig } from "../config.ts";
import { TestAuthority } from "../gateways/testing/certificates.ts";
import { testWith } from "../gateways/testing/programs.ts";
import { checkCertificates } from "./tls_check.ts";

async function problemsWith(config: Config, nowMs: number): Promise<readonly string[]> {
  try {
    await checkCertificates(config, nowMs);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
}

testWith(["openssl"], "what is wrong with certificates is told with its option", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const authority = await TestAuthority.make(directory, "ours");
    for (const name of ["server", "other"]) await authority.issue(name, { days: 2 });
    await authority.list("list.pem");
    const file = (name: string): string => `${directory}/${name}`;
    const check = async (
      cert: string,
      key: string,
      nowMs = Date.now(),
      clients: Readonly<Record<string, string>> = {},
    ): Promise<readonly string[]> => {
      const files = { certFile: file(cert), keyFile: file(key) };
      const { config } = await parseConfig({
        mqtt: { listen: "", tls: { listen: "127.0.0.1:8883", ...files, ...clients } },
        http: { listen: "", tls: { listen: "127.0.0.1:8443", ...files } },
      });
      return await problemsWith(config, nowMs);
    };
    const clients = { clientCaFile: file("ours.crt"), clientCrlFile: file("list.pem") };
    assert.deepEqual(await check("server.crt", "server.key", Date.now(), clients), []);
    const dayMs = 86_400_000;
    const cases = [
      [check("none.crt", "server.key"), /^tls\.certFile: \/.*none\.crt cannot be read: /],
      [check("server.crt", "none.key"), /^tls\.keyFile: \/.*none\.key cannot be read: /],
      [check("server.key", "server.key"), /^tls\.certFile: .*it holds no certificate chain/],
      [check("server.crt", "server.crt"), /^tls\.keyFile: .*it holds no private key/],
      [check("server.crt", "other.key"), /^tls\.keyFile: .*is not the certificate's/],
      [check("server.crt", "server.key", Date.now() + 3 * dayMs), /certFile: .*has expired, on 20/],
      [check("server.crt", "server.key", Date.now() - dayMs), /certFile: .*not valid before 20/],
    ] as const;
    for (const [found, expected] of cases) {
      const problems = await found;
      for (const [i, section] of ["mqtt.", "http."].entries()) {
        assert.ok(problems[i]?.startsWith(section), `${problems}`);
        assert.match(problems[i]?.slice(section.length) ?? "", expected);
      }
    }
    const notCas = { clientCaFile: file("server.crt") };
    assert.match(
      String(await check("server.crt", "server.key", Date.now(), notCas)),
      /^mqtt\.tls\.clientCaFile, clientCrlFile: .*it is not a CA's$/,
    );
    const toBroker = async (tls: Readonly<Record<string, string>>): Promise<string> => {
      const { config } = await parseConfig({ broker: { urls: ["mqtts://h"], tls } });
      return (await problemsWith(config, Date.now() + 3 * dayMs)).join();
    };
    const own = { certFile: file("server.crt"), keyFile: file("server.key") };
    assert.equal(await toBroker({ caFile: file("ours.crt"), ...own }), "", "also when expired");
    assert.match(
      await toBroker({ caFile: file("no.crt") }),
      /^broker\.tls\.caFile: .*cannot be read/,
    );
    assert.match(await toBroker({ caFile: file("server.key") }), /^broker\.tls\.caFile: /);
    const mixed = { ...own, keyFile: file("other.key") };
    assert.match(await toBroker(mixed), /^broker\.tls\.keyFile: .*is not the certificate's/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
