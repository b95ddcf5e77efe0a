import assert from "node:assert/strict";
import type { Intake, Offer, OfferResult, Origin } from "../../../actors/intake.ts";
import { ManualClock } from "../../../runtime/clock.ts";
import { ActorSystem } from "../../../runtime/system.ts";
import { findProgram, testWith } from "../../testing/programs.ts";
import type { ServerProcess } from "../../testing/server_process.ts";
import { startMosquitto } from "../../testing/servers.ts";
import type { PubSub } from "../pubsub/pubsub.ts";
import { memoryPubSub } from "../pubsub/testing/memory_pubsub.ts";
import { type BrokerCommand, BrokerGateway } from "./broker_gateway.ts";
import type { BrokerOptions } from "./broker_options.ts";
import { dial } from "./dial.ts";
import { subscriptionFiles } from "./subscription_files.ts";
import type { SubscriptionMemory } from "./subscriptions.ts";

/** Keeps what is offered, and settles it when the test says so. */
class HeldIntake implements Intake {
  readonly texts: string[] = [];
  readonly #held: { origin: Origin; sequence: number }[] = [];
  readonly #waiting = new Set<Origin>();
  /** Offers that are taken before the answer is `full`. */
  room = Infinity;

  offer(origin: Origin, offer: Offer): OfferResult {
    if (this.room <= 0) {
      this.#waiting.add(origin);
      return "full";
    }
    this.room--;
    const text = (from: number, to: number) =>
      new TextDecoder().decode(offer.bytes.subarray(from, to));
    const topic = text(offer.topicStart, offer.topicEnd);
    this.texts.push(`${topic} ${text(offer.payloadStart, offer.payloadEnd)}`);
    if (offer.sequence >= 0) this.#held.push({ origin, sequence: offer.sequence });
    return "accepted";
  }

  flush(): boolean {
    return true;
  }

  deny(): void {}

  forget(origin: Origin): void {
    this.#waiting.delete(origin);
  }

  settleAll(): void {
    for (const { origin, sequence } of this.#held.splice(0)) {
      origin.settled(sequence, undefined);
      origin.settledEnd();
    }
  }

  openUp(): void {
    this.room = Infinity;
    for (const origin of this.#waiting) origin.resume();
    this.#waiting.clear();
  }
}

/** A gateway that runs, and what it said. */
class Connection implements AsyncDisposable {
  readonly said: string[] = [];
  readonly #system = new ActorSystem();
  readonly #ref;
  gateway: BrokerGateway | undefined;

  constructor(
    readonly intake: Intake,
    options: Partial<BrokerOptions> & { readonly url: URL },
    memory: SubscriptionMemory = { load: () => [], save() {} },
    messages?: PubSub,
  ) {
    this.#ref = this.#system.spawn<BrokerCommand>({
      id: "broker",
      start: (context) =>
        this.gateway = new BrokerGateway(
          {
            clientId: "sluice-test-0",
            filters: ["+/+"],
            qos: 1,
            version: 5,
            clean: false,
            sessionExpiryS: 600,
            receiveMaximum: 100,
            keepAliveS: 30,
            packetBytesMax: 1 << 20,
            keptBytesMax: 1 << 20,
            tls: () => Promise.resolve({}),
            gatewayId: "gw",
            deliveredBytesMax: 1 << 16,
            ...options,
          },
          {
            intake,
            ...(messages === undefined ? {} : { messages }),
            memory,
            hash: () => 1,
            events: {
              connected: (present) =>
                this.said.push(present ? "connected to its session" : "connected"),
              disconnected: () => this.said.push("disconnected"),
              failed: (reason) => this.said.push(`failed: ${reason}`),
              looped: () => this.said.push("looped"),
              refused: (filter) => this.said.push(`refused ${filter}`),
            },
          },
          context,
        ),
    });
  }

  /** Messages come in from now on. */
  subscribed(): Promise<void> {
    return until(() => this.gateway?.subscribed ?? false, () => this.said.join());
  }

  drain(): Promise<void> {
    return new Promise((drained) => this.#ref.tell({ kind: "drain", drained }));
  }

  filters(filters: readonly string[]): void {
    this.#ref.tell({ kind: "filters", filters });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#system.stop();
  }
}

async function until(what: () => boolean, about: () => string): Promise<void> {
  for (let i = 0; i < 6_000; i++) {
    if (what()) return;
    await new Promise((done) => setTimeout(done, 10));
  }
  assert.fail(about());
}

async function publish(
  server: ServerProcess,
  topic: string,
  messages: readonly string[],
  qos: number,
  more: readonly string[] = [],
) {
  for (const message of messages) {
    const { success, stderr } = await new Deno.Command(findProgram("mosquitto_pub"), {
      args: [
        "-h",
        server.host,
        "-p",
        String(server.port),
        "-t",
        topic,
        "-m",
        message,
        "-q",
        `${qos}`,
        ...more,
      ],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  }
}

const needed = ["mosquitto", "mosquitto_pub"] as const;
const sessions = ["persistence true", "autosave_interval 1"];

for (const version of [4, 5] as const) {
  testWith(needed, `MQTT ${version}: every QoS comes in, in order, once`, async () => {
    await using server = await startMosquitto();
    const intake = new HeldIntake();
    await using broker = new Connection(intake, { url: new URL(server.url), version, qos: 2 });
    await broker.subscribed();
    for (const qos of [0, 1, 2]) await publish(server, "a/b", [`q${qos}-1`, `q${qos}-2`], qos);
    await until(() => intake.texts.length === 6, () => intake.texts.join());
    intake.settleAll();
    await broker.drain();
    assert.deepEqual(
      intake.texts,
      ["q0-1", "q0-2", "q1-1", "q1-2", "q2-1", "q2-2"].map((m) => `a/b ${m}`),
    );
  });

  testWith(
    needed,
    `MQTT ${version}: what was not settled comes again after a reconnect`,
    async () => {
      await using server = await startMosquitto(sessions);
      const intake = new HeldIntake();
      await using broker = new Connection(intake, { url: new URL(server.url), version });
      await broker.subscribed();
      await publish(server, "a/b", ["one", "two"], 1);
      await until(() => intake.texts.length === 2, () => intake.texts.join());
      await server.restart();
      await until(() => intake.texts.length === 4, () => `${intake.texts} ${broker.said}`);
      assert.deepEqual(intake.texts.slice(2), ["a/b one", "a/b two"]);
      assert.ok(broker.said.includes("connected to its session"), broker.said.join());
      intake.settleAll();
      await broker.drain();
    },
  );
}

testWith(
  needed,
  "messages go on to subscribers, once, and not what went out from here",
  async () => {
    await using server = await startMosquitto();
    const intake = new HeldIntake();
    const { pubsub, retained } = memoryPubSub(new ManualClock());
    const heard: string[] = [];
    await pubsub.listen({
      names: new Set(),
      ready: true,
      deliver: ({ topic, payload, properties }, { qos }) => {
        const { contentType, userProperties } = properties;
        heard.push(`${topic} ${new TextDecoder().decode(payload)} ${qos} ${contentType}`);
        assert.deepEqual(userProperties?.at(-1), ["sluice-gateway", "gw"]);
      },
    }, "#");
    const options = { url: new URL(server.url), qos: 2, deliveredBytesMax: 100 } as const;
    await using broker = new Connection(intake, options, undefined, pubsub);
    await broker.subscribed();
    const property = (name: string, ...values: string[]) => ["-D", "publish", name, ...values];
    await publish(server, "a/b", ["x".repeat(101)], 1);
    for (const qos of [1, 2]) {
      const own = property("user-property", "sluice-gateway", "gw");
      await publish(server, "a/b", [`own ${qos}`], qos, ["-V", "5", ...own]);
    }
    const other = property("user-property", "sluice-gateway", "other");
    const type = property("content-type", "text/x");
    await publish(server, "a/b", ["good"], 2, ["-V", "5", "-r", ...other, ...type]);
    await until(() => heard.length === 1, () => broker.said.join());
    assert.deepEqual(heard, ["a/b good 2 text/x"]);
    assert.deepEqual(broker.said.filter((word) => word === "looped"), ["looped", "looped"]);
    assert.deepEqual(intake.texts, [`a/b ${"x".repeat(101)}`, "a/b good"]);
    assert.equal(retained.messages.size, 0);
    intake.settleAll();
    await broker.drain();
  },
);

testWith(needed, "without credit the socket is not read, and the connection lives on", async () => {
  await using server = await startMosquitto();
  const intake = new HeldIntake();
  intake.room = 1;
  await using broker = new Connection(intake, { url: new URL(server.url), qos: 0, keepAliveS: 1 });
  await broker.subscribed();
  await publish(server, "a/b", ["1", "2", "3"], 0);
  // Three times the keep-alive: pings go on although nothing is read.
  await new Promise((done) => setTimeout(done, 3_000));
  assert.deepEqual(intake.texts, ["a/b 1"]);
  assert.deepEqual(broker.said, ["connected"]);
  intake.openUp();
  await until(() => intake.texts.length === 3, () => intake.texts.join());
});

testWith(needed, "a kept session gives up filters that are not wanted any more", async () => {
  await using server = await startMosquitto(sessions);
  const directory = await Deno.makeTempDir();
  const memory = subscriptionFiles(
    directory,
    (action, cause) => assert.fail(`${action}: ${cause}`),
  );
  const url = new URL(server.url);
  let said: readonly string[];
  {
    await using first = new Connection(
      new HeldIntake(),
      { url, filters: ["old/+", "both/+"] },
      memory,
    );
    await until(() => memory.load("sluice-test-0").length === 2, () => first.said.join());
    said = first.said;
  }
  assert.deepEqual(said, ["connected"], "who ends a connection does not tell of its loss");
  const intake = new HeldIntake();
  await using second = new Connection(intake, { url, filters: ["both/+", "new/+"] }, memory);
  await until(() => second.said.includes("connected to its session"), () => second.said.join());
  await until(() => memory.load("sluice-test-0").includes("new/+"), () => second.said.join());
  for (const topic of ["old/x", "new/x", "both/x"]) await publish(server, topic, ["m"], 1);
  await until(() => intake.texts.length === 2, () => intake.texts.join());
  assert.deepEqual(intake.texts, ["new/x m", "both/x m"]);
  intake.settleAll();
  await Deno.remove(directory, { recursive: true });
});

testWith(needed, "processes of one shared group divide the messages", async () => {
  await using server = await startMosquitto();
  const url = new URL(server.url);
  const one = new HeldIntake();
  const two = new HeldIntake();
  await using a = new Connection(one, { url, share: "g", clientId: "sluice-a" });
  await using b = new Connection(two, { url, share: "g", clientId: "sluice-b" });
  await Promise.all([a.subscribed(), b.subscribed()]);
  await publish(server, "a/b", ["1", "2", "3", "4"], 1);
  await until(() => one.texts.length + two.texts.length === 4, () => `${one.texts} ${two.texts}`);
  assert.ok(one.texts.length > 0 && two.texts.length > 0);
  one.settleAll();
  two.settleAll();
});

testWith(needed, "wrong credentials are said, and right ones let in", async () => {
  const directory = await Deno.makeTempDir();
  const file = `${directory}/passwords`;
  await Deno.writeTextFile(file, "station:secret\n");
  const hashed = await new Deno.Command("mosquitto_passwd", { args: ["-U", file] }).output();
  assert.ok(hashed.success);
  await using server = await startMosquitto(["allow_anonymous false", `password_file ${file}`]);
  const url = (credentials: string) => new URL(`mqtt://${credentials}@127.0.0.1:${server.port}`);
  await using wrong = new Connection(new HeldIntake(), {
    url: url("station:guess"),
    clientId: "w",
  });
  await until(() => wrong.said.length > 0, () => "silent");
  assert.match(wrong.said[0]!, /^failed: .*[Nn]ot authorized/);
  await using right = new Connection(new HeldIntake(), {
    url: url("station:secret"),
    clientId: "r",
  });
  await until(() => right.said.includes("connected"), () => right.said.join());
  await Deno.remove(directory, { recursive: true });
});

testWith([...needed, "openssl"], "TLS with a client certificate, and WebSocket", async () => {
  const directory = await Deno.makeTempDir();
  const openssl = async (args: string) => {
    const { success, stderr } = await new Deno.Command(findProgram("openssl"), {
      args: args.split(" "),
      cwd: directory,
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  };
  await Deno.writeTextFile(`${directory}/ext`, "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  await openssl(
    "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.crt",
  );
  for (const name of ["server", "client"]) {
    await openssl(
      `req -newkey rsa:2048 -nodes -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`,
    );
    await openssl(
      `x509 -req -in ${name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out ${name}.crt`,
    );
  }
  const [tlsPort, wsPort, wssPort, freePort] = [0, 0, 0, 0].map(() => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    listener.close();
    return listener.addr.port;
  });
  const certificates = [
    `cafile ${directory}/ca.crt`,
    `certfile ${directory}/server.crt`,
    `keyfile ${directory}/server.key`,
    "require_certificate true",
  ];
  await using server = await startMosquitto([
    ...[`listener ${tlsPort} 127.0.0.1`, ...certificates],
    ...[`listener ${wsPort} 127.0.0.1`, "protocol websockets"],
    ...[`listener ${wssPort} 127.0.0.1`, "protocol websockets", ...certificates],
  ]);
  const read = (name: string) => Deno.readTextFileSync(`${directory}/${name}`);
  const identity = {
    caCerts: [read("ca.crt")],
    cert: read("client.crt"),
    key: read("client.key"),
  };
  const tls = () => Promise.resolve(identity);
  const urls = [
    { url: new URL(`mqtts://127.0.0.1:${tlsPort}`), tls, clientId: "tls" },
    { url: new URL(`ws://127.0.0.1:${wsPort}`), tls, clientId: "ws" },
    { url: new URL(`wss://127.0.0.1:${wssPort}`), tls, clientId: "wss" },
  ];
  for (const options of urls) {
    const intake = new HeldIntake();
    await using broker = new Connection(intake, options);
    await broker.subscribed();
    await publish(server, "a/b", ["m"], 1);
    await until(() => intake.texts.length === 1, () => `${intake.texts} ${broker.said}`);
    intake.settleAll();
    await broker.drain();
  }
  // Only plain TCP gives what has gathered in one chunk; records and messages come one by one.
  for (const url of [new URL(server.url), ...urls.map(({ url }) => url)]) {
    const stream = await dial(url, identity);
    assert.equal(stream.chunkBytesMax !== undefined, url.protocol === "mqtt:", url.protocol);
    stream.close();
  }
  // What cannot be connected to is told with the reason, and ends nothing else.
  const away: readonly (readonly [string, RegExp])[] = [
    [`mqtts://127.0.0.1:${tlsPort}`, /^failed: .*certificate/i],
    [`wss://127.0.0.1:${wssPort}`, /^failed: .*certificate/i],
    [`wss://127.0.0.1:${freePort}`, /^failed: .*refused/i],
    [`ws://127.0.0.1:${freePort}`, /^failed: .*refused/i],
    [`ws://127.0.0.1:${server.port}`, /^failed: .*(ended before the answer|reset)/],
  ];
  for (const [url, expected] of away) {
    await using stranger = new Connection(new HeldIntake(), { url: new URL(url), clientId: "s" });
    await until(() => stranger.said.length > 0, () => `${url} is silent`);
    assert.match(stranger.said[0]!, expected, url);
    assert.match(`failed: ${stranger.gateway?.lastError}`, expected, url);
  }
  await Deno.remove(directory, { recursive: true });
});
