/**
 * Configurations that must be refused: exit code 78, and a message that says where and what.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runSluice, runWithConfig, temporaryDirectory } from "../support/run.ts";

interface Refusal {
  readonly name: string;
  readonly content?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  /** What stderr must say. */
  readonly says: RegExp;
}

const key32 = "0123456789abcdef0123456789abcdef";

const refusals: readonly Refusal[] = [
  {
    name: "an unknown section",
    content: { spol: {} },
    says: /spol: unknown key; did you mean spool\?/,
  },
  {
    name: "an unknown key",
    content: { mqtt: { lisen: "127.0.0.1:1883" } },
    says: /mqtt\.lisen: unknown key; did you mean mqtt\.listen\?/,
  },
  {
    name: "keys that objects inherit",
    content: '{"__proto__": {}, "mqtt": {"constructor": 1}}',
    says: /__proto__: unknown key[^]*mqtt\.constructor: unknown key/,
  },
  {
    name: "a wrong type",
    content: { spool: { keepMs: "30s" } },
    says: /spool\.keepMs: must be an integer from 0 to 86400000 \(ms\); it is "30s"/,
  },
  {
    name: "a number out of range",
    content: { shards: 0 },
    says: /shards: must be an integer from 1 to 256; it is 0/,
  },
  {
    name: "a fraction where a whole number is wanted",
    content: { store: { batchReadingsMax: 1.5 } },
    says: /store\.batchReadingsMax: must be an integer from 1 to 1000000; it is 1\.5/,
  },
  {
    name: "an address without a port",
    content: { http: { listen: "localhost" } },
    says: /http\.listen: must be .*; it is "localhost"/,
  },
  {
    name: "an address with an impossible port",
    content: { mqtt: { listen: "127.0.0.1:70000" } },
    says: /mqtt\.listen: must be .*; it is "127\.0\.0\.1:70000"/,
  },
  {
    name: "a broker of a scheme that is none",
    content: { broker: { urls: ["http://127.0.0.1"] } },
    says: /broker\.urls.*: must be .*mqtt:\/\//,
  },
  {
    name: "a store that is no URL",
    content: { influx: { url: "127.0.0.1:8086" } },
    says: /influx\.url: must be .*; it is "127\.0\.0\.1:8086"/,
  },
  {
    name: "a route without a topic",
    content: { routes: [{ name: "x", measurement: "m" }] },
    says: /routes\[0\]: "topic" is missing/,
  },
  {
    name: "a route with an unknown key",
    content: { routes: [{ name: "x", topic: "a/{b}", mesurement: "m" }] },
    says: /routes\[0\]\.mesurement: unknown key/,
  },
  {
    name: "a route with a placeholder that its topic does not have",
    content: { routes: [{ name: "x", topic: "a/{b}", measurement: "m", tags: { t: "{c}" } }] },
    says: /routes\[0\]\.tags\.t: there is no \{c\} here/,
  },
  {
    name: "a route with a schema that is none",
    content: {
      routes: [{ name: "x", topic: "a/{b}", measurement: "m", schema: { type: "objekt" } }],
    },
    says: /routes\[0\]\.schema: schema is invalid/,
  },
  {
    name: "a budget that the parts do not fit into",
    content: { shards: 64, limits: { memoryBytesMax: 67_108_864 } },
    says: /limits\.memoryBytesMax: .*(raise|lower)/,
  },
  {
    name: "a file that is not JSON",
    content: '{"shards": 2,}',
    says: /sluice\.json:\n {2}- is not JSON: /,
  },
  { name: "a file that is no object", content: "[]", says: /must be an object; it is a list/ },
  {
    name: "an unknown variable",
    env: { SLUICE_MQTT_LISEN: "127.0.0.1:0" },
    says: /SLUICE_MQTT_LISEN: unknown variable; did you mean SLUICE_MQTT_LISTEN\?/,
  },
  {
    name: "a variable with a wrong value",
    env: { SLUICE_SHARDS: "many" },
    says: /SLUICE_SHARDS \(shards\): must be an integer from 1 to 256; it is "many"/,
  },
  {
    name: "a certificate that is not there",
    content: {
      http: { tls: { listen: "127.0.0.1:0", certFile: "/no/such.pem", keyFile: "/no/such.key" } },
    },
    says: /http\.tls\.certFile: \/no\/such\.pem cannot be read: /,
  },
  {
    name: "a short key",
    env: { SLUICE_JWT_SECRET: key32.slice(1) },
    says: /SLUICE_JWT_SECRET \(jwt\.secret\): must be at least 32 bytes.*not shown/,
  },
  {
    name: "a placeholder for a key",
    env: { SLUICE_JWT_SECRET: "changemechangemechangemechangeme" },
    says: /SLUICE_JWT_SECRET \(jwt\.secret\): must be .*not a placeholder.*not shown/,
  },
];

for (const { name, content, env, says } of refusals) {
  Deno.test(`configuration: ${name} is refused with its place`, async () => {
    const { code, stdout, stderr } = content === undefined
      ? await runSluice([], env)
      : await runWithConfig(content, env);
    assert.match(stderr, says);
    assert.equal(code, 78, stderr);
    assert.doesNotMatch(stdout, /ready|mqtt:\/\//);
    assert.doesNotMatch(stderr, /\n\s+at /, "no stack for a foreseen mistake");
    for (const secret of Object.values(env ?? {})) {
      if (secret.length >= 31) assert.ok(!stderr.includes(secret), "secrets are not shown");
    }
  });
}

Deno.test("configuration: a route whose code is not there is refused with its place", async () => {
  await using directory = await temporaryDirectory();
  const { code, stdout, stderr } = await runWithConfig({
    dataDir: `${directory.path}/data`,
    mqtt: { listen: "127.0.0.1:0" },
    http: { listen: "127.0.0.1:0" },
    routes: [{ name: "x", topic: "a/{b}", measurement: "m", module: "./no_such_file.ts" }],
  });
  assert.match(stderr, /routes\[0\]\.module: cannot load .*no_such_file\.ts/);
  assert.equal(code, 78);
  assert.doesNotMatch(stdout, /is ready|started anew/, "trying again would not help");
  assert.doesNotMatch(stderr, /\n\s+at /);
});

Deno.test("configuration: every mistake is named at once", async () => {
  const { code, stderr } = await runWithConfig({ shards: -1, mqtt: { a: 1 }, http: { b: 2 } });
  assert.equal(code, 78);
  for (const path of ["shards", "mqtt.a", "http.b"]) assert.ok(stderr.includes(`- ${path}: `));
});

Deno.test("configuration: a file that is not there is refused", async () => {
  const { code, stderr } = await runSluice(["--config", "/nonexistent/sluice.json"]);
  assert.equal(code, 78);
  assert.match(stderr, /\/nonexistent\/sluice\.json:\n {2}- cannot be read/);
});

Deno.test("a wrong flag ends with 64 and the usage", async () => {
  const { code, stderr } = await runSluice(["--confg", "x.json"]);
  assert.equal(code, 64);
  assert.match(stderr, /unknown flag --confg; did you mean --config\?\n\nSluice takes/);
});

Deno.test("--print-config shows what is in effect and no secret", async () => {
  const env = {
    SLUICE_BROKER_URL: "mqtt://user:brokersecret@127.0.0.1:1884",
    SLUICE_INFLUX_URL: "http://name:storesecret@127.0.0.1:8086",
    SLUICE_INFLUX_TOKEN: "tokensecret",
    SLUICE_JWT_SECRET: key32,
  };
  const { code, stdout } = await runSluice(["--print-config"], env);
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).influx.bucket, "sluice");
  assert.ok(JSON.parse(stdout).shards >= 1, "also what depends on the machine");
  for (const secret of ["brokersecret", "storesecret", "tokensecret", key32]) {
    assert.ok(!stdout.includes(secret), secret);
  }
});
