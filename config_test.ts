import assert from "node:assert/strict";
import { ConfigError, loadConfig, parseConfig, printableConfig } from "./config.ts";

/** The problems that a configuration is refused for. */
async function problems(
  file: unknown,
  env: Record<string, string> = {},
): Promise<readonly string[]> {
  try {
    await parseConfig(file, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

Deno.test("an empty configuration is the documented defaults", async () => {
  const { config, warnings } = await parseConfig({});
  assert.equal(config.mqtt.listen, "127.0.0.1:1883");
  assert.equal(config.http.listen, "127.0.0.1:8080");
  assert.equal(config.dataDir, "data");
  assert.equal(config.influx.url, undefined);
  assert.equal(config.limits.payloadBytesMax, 262_144);
  assert.equal(config.log.dataFlow, false);
  assert.deepEqual(warnings, []);
});

Deno.test("the variables of the contract set their options", async () => {
  const { config } = await parseConfig({}, {
    SLUICE_DATA_DIR: "/var/lib/sluice",
    SLUICE_MQTT_LISTEN: "",
    SLUICE_HTTP_LISTEN: "[::1]:9000",
    SLUICE_BROKER_URL: "mqtt://u:p%2Cq@a:1883, wss://b/mqtt",
    SLUICE_BROKER_SHARE: "sluice",
    SLUICE_INFLUX_URL: "http://127.0.0.1:8086",
    SLUICE_INFLUX_TOKEN: "t",
    SLUICE_INFLUX_ORG: "o",
    SLUICE_INFLUX_BUCKET: "b",
    SLUICE_POSTGRES_URL: "postgres://u:p@h/db",
    SLUICE_SHARDS: "3",
    SLUICE_GATEWAY_ID: "gw",
    SLUICE_JWT_SECRET: "k7Jq0m2vX9cR4tZ1bN8wY5pL3sD6fG0h",
    DEBUG_DATA_FLOW: "true",
  });
  assert.equal(config.dataDir, "/var/lib/sluice");
  assert.equal(config.mqtt.listen, "");
  assert.equal(config.http.listen, "[::1]:9000");
  assert.deepEqual(config.broker.urls, ["mqtt://u:p%2Cq@a:1883", "wss://b/mqtt"]);
  assert.equal(config.broker.share, "sluice");
  assert.deepEqual([config.influx.token, config.influx.org, config.influx.bucket], ["t", "o", "b"]);
  assert.equal(config.postgres.url, "postgres://u:p@h/db");
  assert.equal(config.shards, 3);
  assert.equal(config.gatewayId, "gw");
  assert.equal(config.log.dataFlow, true);
});

Deno.test("a variable wins over the file, and an empty one does not count", async () => {
  const file = { influx: { url: "http://file:1" }, spool: { keepMs: 1 } };
  const { config } = await parseConfig(file, { SLUICE_SPOOL_KEEP_MS: "2", SLUICE_INFLUX_URL: "" });
  assert.equal(config.spool.keepMs, 2);
  assert.equal(config.influx.url, "http://file:1");
  assert.deepEqual(file, { influx: { url: "http://file:1" }, spool: { keepMs: 1 } });
});

Deno.test("what is wrong in the file and in a variable is told of both, and the rest once", async () => {
  const file = { shards: null, spool: { keepMs: "30s" } };
  const parsed = parseConfig(file, { SLUICE_SHARDS: "two" });
  await assert.rejects(parsed, {
    problems: [
      "shards (in the file; SLUICE_SHARDS wins over it): must be an integer from 1 to 256; it is null",
      'SLUICE_SHARDS (shards): must be an integer from 1 to 256; it is "two"',
      'spool.keepMs: must be an integer from 0 to 86400000 (ms); it is "30s"',
    ],
  });
});

const goodKey = { SLUICE_JWT_SECRET: "k7Jq0m2vX9cR4tZ1bN8wY5pL3sD6fG0h" };

const templates: readonly (readonly [unknown, Record<string, string>])[] = [
  [{ jwt: { secret: "CHANGE_ME" } }, goodKey],
  [{ jwt: { secret: "" } }, goodKey],
  [{ influx: { token: "" } }, { SLUICE_INFLUX_TOKEN: "t" }],
  [{ influx: { url: "" } }, { SLUICE_INFLUX_URL: "http://h:8086" }],
  [{ gatewayId: "" }, { SLUICE_GATEWAY_ID: "gw" }],
  [{ shards: 0, ack: "" }, { SLUICE_SHARDS: "2", SLUICE_ACK: "stored" }],
  [{ broker: { urls: ["BROKER"] } }, { SLUICE_BROKER_URL: "mqtt://h" }],
  [
    { routes: [{ name: "", topic: "a", measurement: "b", timestamp: { key: "" } }] },
    { SLUICE_ROUTES: "[]" },
  ],
];

Deno.test("a file may hold a place for what a variable sets", async () => {
  for (const [file, env] of templates) {
    assert.deepEqual(await problems(file, env), [], JSON.stringify(file));
    assert.equal((await problems(file)).length > 0, true, JSON.stringify(file));
  }
});

Deno.test("DEBUG_DATA_FLOW is on only when it is exactly true", async () => {
  for (const text of ["True", "TRUE", "1", "yes", "false", " true", ""]) {
    const { config } = await parseConfig({}, { DEBUG_DATA_FLOW: text });
    assert.equal(config.log.dataFlow, false, text);
  }
});

const refused: readonly (readonly [string, unknown, Record<string, string>, string])[] = [
  [
    "an unknown key",
    { mqtt: { lisen: "" } },
    {},
    "mqtt.lisen: unknown key; did you mean mqtt.listen?",
  ],
  ["an unknown section", { cache: 1 }, {}, "cache: unknown key; allowed here: dataDir, shards, "],
  [
    "a number as text",
    { spool: { keepMs: "30s" } },
    {},
    'spool.keepMs: must be an integer from 0 to 86400000 (ms); it is "30s"',
  ],
  ["a fraction", { shards: 1.5 }, {}, "shards: must be an integer from 1 to 256; it is 1.5"],
  ["a value out of bounds", { shards: 0 }, {}, "shards: must be an integer from 1 to 256; it is 0"],
  ["null", { mqtt: { listen: null } }, {}, 'mqtt.listen: must be "host:port"'],
  ["a section that is none", { mqtt: 1883 }, {}, "mqtt: must be an object; it is a number"],
  ["a list at the top", [], {}, "the configuration: must be an object; it is a list"],
  [
    "a choice",
    { spool: { full: "drop" } },
    {},
    'spool.full: must be one of "backpressure", "drop_oldest"; it is "drop"',
  ],
  [
    "an item of a list",
    { broker: { urls: ["http://x"] } },
    {},
    "broker.urls: must be a list of different texts, each a URL with mqtt://",
  ],
  [
    "a topic filter",
    { broker: { urls: ["mqtt://x"], topics: ["a/#/b"] } },
    {},
    "broker.topics: must be a list",
  ],
  ["a port", { http: { listen: "127.0.0.1:65536" } }, {}, 'http.listen: must be "host:port"'],
  [
    "a store URL",
    { influx: { url: "127.0.0.1:8086" } },
    {},
    "influx.url: must be a URL with http://",
  ],
  [
    "a variable's value",
    {},
    { SLUICE_SHARDS: "two" },
    'SLUICE_SHARDS (shards): must be an integer from 1 to 256; it is "two"',
  ],
  [
    "a value that a variable hides",
    { shards: "two" },
    { SLUICE_SHARDS: "2" },
    'shards (in the file; SLUICE_SHARDS wins over it): must be an integer from 1 to 256; it is "two"',
  ],
  [
    "a secret of another type that a variable hides",
    { jwt: { secret: 5 } },
    goodKey,
    "jwt.secret (in the file; SLUICE_JWT_SECRET wins over it): must be at least 32 bytes",
  ],
  [
    "a choice of another type that a variable hides",
    { ack: 5 },
    { SLUICE_ACK: "stored" },
    "ack (in the file; SLUICE_ACK wins over it): must be one of",
  ],
  [
    "a key of a route that a variable hides",
    { routes: [{ name: "a", topic: "a", measurment: "b" }] },
    { SLUICE_ROUTES: "[]" },
    "routes[0].measurment (in the file; SLUICE_ROUTES wins over it): unknown key",
  ],
  [
    "a variable's name",
    {},
    { SLUICE_INFLX_URL: "http://x" },
    "SLUICE_INFLX_URL: unknown variable; did you mean SLUICE_INFLUX_URL?",
  ],
  [
    "a variable like no other",
    {},
    { SLUICE_NOPE: "1" },
    "SLUICE_NOPE: unknown variable; docs/configuration.md names all there are",
  ],
  [
    "a placeholder as key",
    { jwt: { secret: "change-me-change-me-change-me-change-me" } },
    {},
    "jwt.secret: must be at least 32 bytes and not a placeholder",
  ],
  [
    "a password that is not encoded",
    {},
    { SLUICE_BROKER_URL: "mqtt://u:100%@h:1883" },
    'each a URL with mqtt://, mqtts://, ws:// or wss://, such as "mqtt://user:pass@host:1883"; a % in name or password is written %25, a comma in a variable %2C; it is ["mqtt://u:***@h:1883"]',
  ],
  [
    "a comma in a password",
    {},
    { SLUICE_BROKER_URL: "mqtt://a:1883, mqtt://u:hunter2,hunter3@h:1883" },
    'a comma in a variable %2C; it is "mqtt://a:***@h:1883"',
  ],
  [
    "a comma in the second password, without a space between the URLs",
    {},
    { SLUICE_BROKER_URL: "mqtt://a,mqtt://u:hunter2,hunter3@h" },
    'a comma in a variable %2C; it is "mqtt://a,mqtt:***@h"',
  ],
  [
    "a comma behind the number of a port, as it seems",
    {},
    { SLUICE_BROKER_URL: "mqtt://u:1,hunter2@h" },
    'a comma in a variable %2C; it is "mqtt://u:***@h"',
  ],
  [
    "a comma before what looks like a scheme",
    {},
    { SLUICE_BROKER_URL: "mqtt://u:hun,ter://hunter2@h" },
    'a comma in a variable %2C; it is "mqtt://u:***@h"',
  ],
  [
    "a token with its file's line break",
    { influx: { url: "http://h:8086", token: "hunter2\n" } },
    {},
    "influx.token: must be one line of Latin letters, digits and signs; it is something else (not shown, it is a secret)",
  ],
  ["a short key", { jwt: { secret: "k7Jq0m2vX9cR" } }, {}, "(not shown, it is a secret)"],
  [
    "a limit above another",
    { limits: { payloadBytesMax: 1_000_000 } },
    {},
    "limits.payloadBytesMax: must be at most mqtt.packetBytesMax, which is 524288; it is 1000000",
  ],
  [
    "revocation without an authority",
    { mqtt: { tls: { clientCrlFile: "list.pem" } } },
    {},
    "mqtt.tls.clientCrlFile: needs mqtt.tls.clientCaFile",
  ],
  [
    "TLS without a certificate",
    { mqtt: { tls: { listen: "127.0.0.1:8883" } } },
    {},
    "mqtt.tls.listen: needs mqtt.tls.certFile and mqtt.tls.keyFile",
  ],
  [
    "HTTP over TLS without a key",
    { http: { tls: { listen: "127.0.0.1:8443", certFile: "c" } } },
    {},
    "http.tls.listen: needs http.tls.certFile and http.tls.keyFile",
  ],
  [
    "one address twice",
    { http: { listen: "127.0.0.1:1883" } },
    {},
    "http.listen: 127.0.0.1:1883 is already taken by mqtt.listen",
  ],
  [
    "no way in",
    { mqtt: { listen: "" }, http: { listen: "" } },
    {},
    "mqtt.listen: no way in for readings",
  ],
  [
    "a route's key",
    { routes: [{ name: "a", topic: "a", measurment: "b", measurement: "b" }] },
    {},
    "routes[0].measurment: unknown key; did you mean routes[0].measurement?",
  ],
  [
    "a route without a topic",
    { routes: [{ name: "a", measurement: "b" }] },
    {},
    'routes[0]: "topic" is missing',
  ],
  [
    "a route's choice",
    { routes: [{ name: "a", topic: "a", measurement: "b", ack: "now" }] },
    {},
    'routes[0].ack: must be one of "spooled", "stored"; it is "now"',
  ],
  [
    "a route's type",
    { routes: [{ name: "a", topic: "a", measurement: "b", timestamp: { key: 1 } }] },
    {},
    "routes[0].timestamp.key: must be string; it is 1, or must be array; it is 1",
  ],
  ["a route that is none", { routes: [5] }, {}, "routes[0]: must be object; it is 5"],
  [
    "routes that are no JSON",
    {},
    { SLUICE_ROUTES: "[{" },
    'SLUICE_ROUTES (routes): must be a list of objects, in a variable as JSON; it is "[{"',
  ],
  ["prototype names", JSON.parse('{"__proto__": {"shards": 2}}'), {}, "__proto__: unknown key"],
];

for (const [name, file, env, expected] of refused) {
  Deno.test(`refused: ${name}`, async () => {
    const found = await problems(file, env);
    assert.equal(found.length, 1, found.join("\n"));
    assert.ok(found[0]?.includes(expected), found.join("\n"));
  });
}

Deno.test("every problem is named at once", async () => {
  const found = await problems({ shards: "x", spool: { kepMs: 1, full: 3 } }, {
    SLUICE_SHRADS: "2",
  });
  assert.equal(found.length, 4, found.join("\n"));
});

Deno.test("Kubernetes' variables for a service named sluice are nobody's typo", async () => {
  const env = {
    SLUICE_SERVICE_HOST: "10.0.0.1",
    SLUICE_SERVICE_PORT_MQTT: "1883",
    SLUICE_PORT: "tcp://10.0.0.1:1883",
    SLUICE_PORT_1883_TCP_ADDR: "10.0.0.1",
  };
  assert.deepEqual(await problems({}, env), []);
});

Deno.test("what works but was likely not meant is a warning", async () => {
  const { warnings } = await parseConfig({
    mqtt: {
      listen: "0.0.0.0:1883",
      insecureAllowAnonymousRemote: true,
      insecureAllowPlaintextRemote: true,
    },
    influx: { token: "t" },
    broker: { urls: ["mqtt://h"], qos: 0 },
  });
  assert.equal(warnings.length, 3, warnings.join("\n"));
  assert.ok(warnings[0]?.startsWith("mqtt.listen: 0.0.0.0:1883 is open to everyone"));
});

Deno.test("other machines are let in only with accounts and TLS, or when it is said", async () => {
  const tls = { certFile: "c", keyFile: "k" };
  const remote = "0.0.0.0:1883";
  const auth = { required: true };
  const plain = { insecureAllowPlaintextRemote: true };
  const anonymous = { insecureAllowAnonymousRemote: true };
  const cases: readonly (readonly [unknown, readonly RegExp[]])[] = [
    [{ mqtt: { listen: remote } }, [/^mqtt\.listen: .*needs accounts/, /^mqtt\.listen: .*TLS/]],
    [{ mqtt: { listen: remote, ...plain } }, [/set auth\.required, or mqtt\.insecureAllowAno/]],
    [{ mqtt: { listen: remote, ...anonymous } }, [/or set mqtt\.insecureAllowPlaintextRemote/]],
    [{ mqtt: { listen: remote }, auth }, [/without TLS: use mqtt\.tls\.listen/]],
    [{ mqtt: { listen: remote, ...plain }, auth }, []],
    [{ mqtt: { tls: { listen: "[::]:8883", ...tls } } }, [/^mqtt\.tls\.listen: .*accounts/]],
    [{ mqtt: { tls: { listen: "[::]:8883", ...tls } }, auth }, []],
    [{ http: { listen: "192.0.2.1:8080" }, auth }, [
      /^http\.listen: .*use http\.tls\.listen, .*a proxy/,
    ]],
    [{ http: { listen: "192.0.2.1:8080", ...plain }, auth }, []],
    [{ http: { listen: "127.example.org:80", ...plain } }, [/^http\.listen: .*accounts/]],
    [{ http: { tls: { listen: "[::]:8443", ...tls } } }, [/^http\.tls\.listen: .*accounts/]],
    [{ http: { tls: { listen: "[::]:8443", ...tls } }, auth }, []],
    [{ http: { listen: "[::1]:8080" }, mqtt: { listen: "localhost:1883" } }, []],
  ];
  for (const [file, expected] of cases) {
    const found = await problems(file);
    assert.equal(found.length, expected.length, JSON.stringify([file, found]));
    for (const [i, one] of expected.entries()) assert.match(found[i]!, one);
  }
});

Deno.test("the printed configuration shows no secret", async () => {
  const { config } = await parseConfig({
    influx: { url: "http://admin:hunter2@h:8086/?token=hunter2", token: "hunter2" },
    broker: { urls: ["mqtt://u:hunter2@h:1883"] },
    postgres: { url: "postgres://u:hunter2@h/db" },
    jwt: { secret: "hunter2hunter2hunter2hunter2hunter2" },
  });
  const printed = printableConfig(config);
  assert.ok(!printed.includes("hunter2"), printed);
  assert.ok(printed.includes("mqtt://u:***@h:1883"));
  assert.ok(printed.includes('"keepMs": 30000'));
});

Deno.test("readings may come over HTTP alone, or from a broker alone", async () => {
  assert.deepEqual(await problems({ mqtt: { listen: "" } }), []);
  const broker = { urls: ["mqtt://h:1883"] };
  assert.deepEqual(await problems({ mqtt: { listen: "" }, http: { listen: "" }, broker }), []);
});

const misplaced: readonly (readonly [unknown, string])[] = [
  [{ broker: { urls: ["mqt://u:hunter2@h:1883"] } }, 'it is ["mqt://u:***@h:1883"]'],
  [{ broker: { urls: "mqtt://u:hunter2@h" } }, 'it is "mqtt://u:***@h"'],
  [{ broker: { urls: ["mqtt://u:hun/hunter2@h"] } }, 'it is ["mqtt://u:***@h"]'],
  [{ postgres: { url: "u:hunter2@h/db" } }, 'it is "u:***@h/db"'],
  [{ postgres: { url: "u:a:hunter2@x@h/db" } }, 'it is "u:***@h/db"'],
  [{ postgres: { url: "postgres:/u:hunter2@h/db" } }, 'it is "postgres:/u:***@h/db"'],
  [{ postgres: { url: { password: "hunter2" } } }, "it is an object"],
  [{ postgres: "postgres://u:hunter2@h/db" }, "it is a text"],
  [{ jwt: "hunter2hunter2" }, "it is a text"],
  [{ jwt: ["hunter2"] }, "it is a list"],
  [["hunter2"], "it is a list"],
  [
    { broker: { urls: [{ url: "mqtt://u:hunter2@h", password: "hunter2" }] } },
    "it is a list that holds objects",
  ],
  [{ routes: ["mqtt://u:hunter2@h"] }, 'it is "mqtt://u:***@h"'],
  [{ routes: [{ topic: "a", measurement: "b", name: { key: "hunter2" } }] }, "it is an object"],
];

Deno.test("an error shows no secret, also one in a wrong place or in what is no URL", async () => {
  for (const [file, expected] of misplaced) {
    const found = (await problems(file)).join("\n");
    assert.ok(!found.includes("hunter2"), found);
    assert.ok(found.endsWith(expected), found);
  }
});

Deno.test("a file that is missing, no JSON, or has a key twice is refused with its name", async () => {
  await assert.rejects(
    loadConfig("/nonexistent/sluice.json", {}),
    /sluice\.json:\n {2}- cannot be read/,
  );
  const path = Deno.makeTempFileSync({ suffix: ".json" });
  try {
    Deno.writeTextFileSync(path, '{\n  "shards": 2,\n}');
    await assert.rejects(loadConfig(path, {}), /is not JSON: .*line 3 column 1/);
    Deno.writeTextFileSync(path, '{\n  "shards": 2,\n  "shards": "x",\n  "spol": {}\n}');
    await assert.rejects(loadConfig(path, {}), (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.problems.length, 3, error.message);
      assert.equal(
        error.problems[0],
        "shards: is there twice, in line 2 and in line 3; keep one",
      );
      return true;
    });
    Deno.writeTextFileSync(path, '\uFEFF{"$schema": "./schema/sluice.schema.json", "shards": 2}');
    assert.equal((await loadConfig(path, {})).config.shards, 2);
  } finally {
    Deno.removeSync(path);
  }
});
