import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import { type Offer, type Origin, type Rejection, transports } from "../intake.ts";
import { IntakeHub } from "../intake_hub.ts";
import { Ledger } from "../ledger.ts";
import { compileRoutes } from "../route_table.ts";
import type { SentBatch } from "../lane.ts";
import { TopicTable } from "../topic_table.ts";
import type { AccountLimits } from "./account_limits.ts";
import { Rates, ratesBytes, ratesMemory, type RateSpecs, type Sender } from "./rates.ts";

const none = { messages: undefined, points: undefined };
const noRates: RateSpecs = { device: none, account: none, address: none };
const utf8 = new TextEncoder();

class Client implements Origin {
  readonly transport = transports[0];
  readonly originHash = 1;
  resumed = 0;
  limitedMs: number[] = [];
  settledCount = 0;
  resumes: () => void = () => {};

  constructor(readonly sender: Sender | undefined) {}

  settled(_sequence: number, _rejection: Rejection | undefined): void {
    this.settledCount++;
  }
  settledEnd(): void {}
  resume(): void {
    this.resumed++;
    this.resumes();
  }
  rateLimited(waitMs: number): void {
    this.limitedMs.push(waitMs);
  }
}

/** Two Workers' intakes under the same rates. */
function setUp(specs: RateSpecs, laneBytes = 1 << 20, mayBeSet = false) {
  const clock = new ManualClock();
  const memory = ratesMemory(specs, 42, mayBeSet);
  assert.ok(memory !== undefined);
  const sent: SentBatch[] = [];
  const worker = () => {
    const rates = new Rates({ memory, specs, clock, sharedMs: () => clock.monotonic() });
    const hub = new IntakeHub({
      shards: 1,
      topics: new TopicTable(compileRoutes([], { ackLevel: "spooled" }), {
        gatewayId: "g",
        hashSeed: 7,
      }),
      ledger: new Ledger(),
      laneBytes,
      payloadBytesMax: 1_000,
      now: () => clock.now(),
      defer: (run) => run(),
      transmit: (_owner, _level, batch) => sent.push(batch),
      rates,
    });
    return { rates, hub };
  };
  return { clock, sent, a: worker(), b: worker() };
}

function offer(topic: string, payload = '{"TMP":1}'): Offer {
  const bytes = utf8.encode(topic + payload);
  const topicEnd = utf8.encode(topic).length;
  const all = { topicStart: 0, topicEnd, payloadStart: topicEnd, payloadEnd: bytes.length };
  return { bytes, ...all, flags: 1, packetId: 1, sequence: 0 };
}

/** How many of `count` are taken before one is not. */
function taken(hub: IntakeHub, client: Client, topic: string, count: number): number {
  let accepted = 0;
  while (accepted < count && hub.offer(client, offer(topic)) === "accepted") accepted++;
  hub.flush();
  return accepted;
}

Deno.test("a device has one rate over all connections of all Workers, and others are not held", () => {
  const { clock, a, b } = setUp({ ...noRates, device: { messages: "10:1", points: undefined } });
  const sender = { account: 0, address: 0 };
  const [one, two] = [new Client(sender), new Client(sender)];
  assert.equal(taken(a.hub, one, "UPB/RPi_1", 6), 6);
  assert.equal(taken(b.hub, two, "UPB/RPi_1", 6), 4);
  assert.equal(taken(b.hub, new Client(sender), "UPB/RPi_2", 10), 10, "another device");
  assert.equal(b.rates.held.device, 1);
  assert.deepEqual(two.limitedMs.map(Math.round), [100]);
  clock.advance(99);
  assert.equal(two.resumed, 0);
  clock.advance(2);
  assert.equal(two.resumed, 1);
  assert.equal(taken(b.hub, two, "UPB/RPi_1", 6), 1, "each tenth of a second one more");
  assert.ok(b.rates.deviceWaitMs("UPB~RPi_1") > 0);
  assert.equal(b.rates.deviceWaitMs("UPB~RPi_3"), 0);
});

Deno.test("an account and an address are held over all of their devices; a held offer is free", () => {
  const specs = { ...noRates, account: { messages: "5:1", points: undefined } };
  const { a } = setUp({
    ...specs,
    device: { messages: "3:1", points: undefined },
    address: { messages: "7:1", points: undefined },
  });
  const [alice, bob] = [a.rates.keyOf("alice"), a.rates.keyOf("bob")];
  const address = a.rates.keyOf("10.0.0.1");
  const first = new Client({ account: alice, address });
  assert.equal(taken(a.hub, first, "UPB/RPi_1", 9), 3, "its device's");
  assert.equal(taken(a.hub, first, "UPB/RPi_2", 9), 2, "its account's");
  const second = new Client({ account: bob, address });
  assert.equal(taken(a.hub, second, "UPB/RPi_3", 9), 2, "its address's");
  assert.deepEqual(a.rates.held, { device: 1, account: 1, address: 1 });
  const elsewhere = new Client({ account: bob, address: a.rates.keyOf("10.0.0.2") });
  assert.equal(taken(a.hub, elsewhere, "UPB/RPi_3", 9), 1, "the device has two behind it");
  assert.equal(taken(a.hub, elsewhere, "UPB/RPi_4", 9), 2, "the account has three behind it");
});

Deno.test("a message without a device counts for its account and its address alone", () => {
  const { clock, a, b } = setUp({
    device: { messages: "1:1", points: undefined },
    account: { messages: "3:1", points: undefined },
    address: { messages: "5:1", points: undefined },
  });
  const address = a.rates.keyOf("10.0.0.1");
  const sender = (name: string): Sender => ({ account: a.rates.keyOf(name), address });
  assert.equal(taken(a.hub, new Client(sender("alice")), "UPB/RPi_1", 1), 1);
  assert.deepEqual([1, 2, 3].map(() => Math.round(b.rates.takeMessage(sender("alice")))), [
    0,
    0,
    333,
  ]);
  assert.deepEqual([1, 2, 3].map(() => Math.round(a.rates.takeMessage(sender("bob")))), [
    0,
    0,
    200,
  ]);
  assert.deepEqual([a.rates.held, b.rates.held], [
    { device: 0, account: 0, address: 1 },
    { device: 0, account: 1, address: 0 },
  ]);
  clock.advance(201);
  assert.equal(a.rates.takeMessage(sender("bob")), 0, "what the address refused was free");
});

Deno.test("an account may have a rate of its own, in place of that of all accounts", () => {
  const specs: RateSpecs = {
    ...noRates,
    account: { messages: "3:1", points: undefined },
    accounts: ["UPB/a=b=9:1,12:60"],
  };
  const { clock, a, b } = setUp(specs);
  const client = (name: string) => new Client({ account: a.rates.keyOf(name), address: 0 });
  assert.equal(taken(a.hub, client("UPB/a"), "UPB/RPi_1", 20), 3);
  assert.equal(taken(a.hub, client("UPB/a=b"), "UPB/RPi_1", 5), 5);
  assert.equal(taken(b.hub, client("UPB/a=b"), "UPB/RPi_2", 20), 4, "over all Workers");
  clock.advance(1_000);
  assert.equal(taken(b.hub, client("UPB/a=b"), "UPB/RPi_2", 20), 3, "12 in a minute");
  assert.equal(b.rates.held.account, 2);
  assert.ok(ratesBytes(specs) > ratesBytes({ ...specs, accounts: [] }));
  const alone = { ...noRates, accounts: ["x=1:1"] };
  assert.equal(taken(setUp(alone).a.hub, client("y"), "UPB/RPi_1", 20), 20);
});

Deno.test("a rate that is set while it runs holds over all Workers, counts anew, and frees who waits", () => {
  const { clock, a, b } = setUp(noRates, 1 << 20, true);
  const set = (limits: AccountLimits) => {
    for (const { rates } of [a, b]) rates.setOwn([{ name: "x", limits }]);
  };
  const client = (name: string) => new Client({ account: a.rates.keyOf(name), address: 0 });
  assert.equal(taken(a.hub, client("x"), "UPB/RPi_1", 50), 50);
  set({ messages: "3:3600", points: "100:1" });
  assert.deepEqual([a.rates.countsPoints, b.rates.countsPoints], [true, true]);
  assert.equal(taken(a.hub, client("x"), "UPB/RPi_1", 50), 3);
  const held = client("x");
  assert.equal(taken(b.hub, held, "UPB/RPi_2", 50), 0);
  assert.equal(taken(b.hub, client("y"), "UPB/RPi_2", 50), 50);
  assert.deepEqual([held.resumed, clock.pending > 0], [0, true]);
  set({ messages: "5:1" });
  assert.equal(held.resumed, 1);
  assert.equal(a.rates.countsPoints, false);
  assert.equal(taken(b.hub, held, "UPB/RPi_2", 50), 5);
  set({});
  assert.equal(taken(a.hub, held, "UPB/RPi_2", 50), 50);
  a.hub.forget(held);
  b.hub.forget(held);
});

Deno.test("a rate that is set frees who waits for it, and nobody who ended or is held anew by that", () => {
  const specs = { ...noRates, address: { messages: "1:1", points: undefined } };
  const { clock, a: { rates, hub } } = setUp(specs, 1 << 20, true);
  const account = rates.keyOf("x");
  rates.setOwn([{ name: "x", limits: { messages: "1:10" } }]);
  const client = (sender: Sender) => new Client(sender);
  const [first, ended, anew] = [0, 0, 0].map(() => client({ account, address: 0 }));
  const [other, slow] = [
    client({ account: rates.keyOf("y"), address: 0 }),
    client({ account: 0, address: 9 }),
  ];
  assert.ok(first && ended && anew && other && slow);
  rates.setOwn([{ name: "y", limits: { messages: "1:10" } }]);
  assert.equal(taken(hub, client({ account, address: 0 }), "UPB/a", 2), 1);
  for (const waits of [first, ended, anew]) assert.equal(taken(hub, waits, "UPB/a", 1), 0);
  for (const waits of [other, slow]) assert.equal(taken(hub, waits, "UPB/b", 2), 1);
  first.resumes = () => {
    hub.forget(ended);
    hub.forget(anew);
    assert.equal(taken(hub, anew, "UPB/a", 2), 1, "it spends what the new rate has");
  };
  rates.setOwn([{ name: "x", limits: { messages: "1:2" } }]);
  const resumed = () => [first, ended, anew, other, slow].map(({ resumed }) => resumed);
  assert.deepEqual(resumed(), [1, 0, 0, 0, 0]);
  clock.advance(2_001);
  assert.deepEqual(resumed(), [1, 0, 1, 0, 1], "each when its rate says");
  clock.advance(20_000);
  assert.deepEqual(resumed(), [1, 0, 1, 1, 1]);
  assert.equal(clock.pending, 0);
});

Deno.test("what is set comes before the configuration, which is back when it is taken away", () => {
  const specs: RateSpecs = {
    ...noRates,
    account: { messages: "3:1", points: undefined },
    accounts: ["x=9:1"],
  };
  const { clock, a } = setUp(specs);
  const count = () => {
    clock.advance(100_000);
    const client = new Client({ account: a.rates.keyOf("x"), address: 0 });
    const many = taken(a.hub, client, "UPB/RPi_1", 50);
    a.hub.forget(client);
    return many;
  };
  assert.equal(count(), 9);
  a.rates.setOwn([{ name: "x", limits: { messages: "2:1" } }]);
  assert.equal(count(), 2);
  a.rates.setOwn([{ name: "x", limits: { points: "4:1" } }]);
  assert.equal(count(), 4, "each message has a point");
  a.rates.setOwn([{ name: "x", limits: { sessionsMax: 1 } }]);
  assert.equal(count(), 9);
});

Deno.test("what no route takes counts for its account and its address, and holds its origin", () => {
  const { clock, a } = setUp({ ...noRates, account: { messages: "3:1", points: undefined } });
  const client = new Client({ account: a.rates.keyOf("alice"), address: 0 });
  const results = ["no/route/at_all", "$reserved", "no/route/at_all", "UPB/RPi_1"].map((topic) => {
    const result = a.hub.offer(client, offer(topic));
    return typeof result === "object" ? result.reason : result;
  });
  assert.deepEqual(results, ["no_route", "topic_reserved", "no_route", "full"]);
  assert.equal(a.hub.offer(client, offer("no/route/at_all")), "full");
  assert.deepEqual(client.limitedMs.map(Math.round), [333, 333]);
  clock.advance(334);
  assert.equal(client.resumed, 1);
  assert.notEqual(a.hub.offer(client, offer("no/route/at_all")), "full");
});

Deno.test("points are charged when they are known, to the device and to who sent them", () => {
  const { clock, sent, a } = setUp({
    ...noRates,
    device: { messages: undefined, points: "10:1" },
    account: { messages: undefined, points: "20:1" },
  });
  assert.equal(a.rates.countsPoints, true);
  const client = new Client({ account: a.rates.keyOf("alice"), address: 0 });
  assert.equal(taken(a.hub, client, "UPB/RPi_1", 1), 1);
  const [batch] = sent;
  assert.ok(batch !== undefined);
  a.hub.settle(0, "spooled", batch.id, [], [40]);
  assert.equal(client.settledCount, 1);
  assert.equal(a.hub.offer(client, offer("UPB/RPi_2")), "full", "40 of 20 points a second");
  assert.deepEqual(client.limitedMs.map(Math.round), [1_050]);
  clock.advance(1_051);
  assert.equal(client.resumed, 1);
  assert.equal(a.hub.offer(client, offer("UPB/RPi_2")), "accepted");
});

Deno.test("who is not known, such as a broker, has no rate; without credit nothing is spent", () => {
  const specs = { ...noRates, device: { messages: "3:1", points: undefined } };
  const wide = setUp(specs);
  assert.equal(taken(wide.a.hub, new Client(undefined), "UPB/RPi_1", 50), 50);
  const narrow = setUp(specs, 1);
  const client = new Client({ account: 0, address: 0 });
  assert.equal(narrow.a.hub.offer(client, offer("UPB/RPi_1")), "accepted");
  for (let i = 0; i < 10; i++) {
    assert.equal(narrow.a.hub.offer(client, offer("UPB/RPi_1")), "full");
  }
  assert.equal(narrow.a.rates.held.device, 0);
});

Deno.test("a client that is gone is not told to go on", () => {
  const { clock, a } = setUp({ ...noRates, device: { messages: "1:1", points: undefined } });
  const client = new Client({ account: 0, address: 0 });
  assert.equal(taken(a.hub, client, "UPB/RPi_1", 2), 1);
  a.hub.forget(client);
  assert.equal(clock.pending, 0);
  clock.advance(5_000);
  assert.equal(client.resumed, 0);
});

Deno.test("without rates there is no memory", () => {
  assert.equal(ratesMemory(noRates, 1), undefined);
  assert.equal(ratesBytes(noRates), 0);
  const specs = { ...noRates, device: { messages: "1:1,2:2", points: "3:1" } };
  assert.equal(ratesMemory(specs, 1)?.tables.device?.byteLength, ratesBytes(specs));
});
