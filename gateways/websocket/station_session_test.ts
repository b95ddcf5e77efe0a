import assert from "node:assert/strict";
import type { Intake, Offer, OfferResult, Origin } from "../../actors/intake.ts";
import { ManualClock } from "../../runtime/clock.ts";
import type { Claims } from "../auth/token.ts";
import { type StationOptions, StationSession } from "./station_session.ts";

/** An intake with credit for so many readings, settled when the test says so. */
class FakeIntake implements Intake {
  credit = Infinity;
  denied = 0;
  /** Whether messages can be kept for those who are away. */
  keeps = true;
  readonly taken: Offer[] = [];
  origin: Origin | undefined;

  offer(origin: Origin, offer: Offer): OfferResult {
    this.origin = origin;
    if (this.credit === 0) return "full";
    this.credit--;
    this.taken.push({ ...offer });
    return "accepted";
  }

  deny(): void {
    this.denied++;
  }

  flush(): boolean {
    return this.keeps;
  }

  forget(): void {}

  settleAll(): void {
    for (const { sequence } of this.taken.splice(0)) this.origin?.settled(sequence, undefined);
    this.origin?.settledEnd();
  }
}

const encoder = new TextEncoder();
const free = { hasRoom: true, release: () => {} };

const claimsOf = (name: string, expiresS: number): Claims => ({
  name,
  version: 1,
  issuedS: 0,
  expiresS,
  permissions: { roles: ["device"], read: [], write: [`device/${name}`], devices: [] },
});

function station(options: Partial<StationOptions> = {}) {
  const intake = new FakeIntake();
  const clock = new ManualClock();
  const sent: Record<string, unknown>[] = [];
  let code: number | undefined;
  let ended = 0;
  const socket = {
    bufferedAmount: 0,
    send: (text: string) => {
      sent.push(JSON.parse(text));
    },
    close: (given: number) => {
      code = given;
    },
  };
  const session = new StationSession(socket, {
    intake,
    clock,
    required: false,
    admit: (token) =>
      Promise.resolve(
        token.startsWith("good ") ? claimsOf(token.slice(5), clock.now() / 1_000 + 60) : "invalid",
      ),
    isCurrent: () => true,
    endOf: () => undefined,
    hash: (text) => text.length,
    senderOf: () => undefined,
    bannedUntilMs: () => 0,
    named: () => {},
    ended: () => ended++,
    ...options,
  });
  session.opened();
  return {
    intake,
    clock,
    session,
    socket,
    sent,
    code: () => code,
    ended: () => ended,
    say: async (...frames: readonly unknown[]) => {
      for (const frame of frames) {
        await session.received(encoder.encode(JSON.stringify(frame)), free);
      }
    },
  };
}

const reading = (id: number) => ({ type: "reading", id, payload: { uuid: "d", value: id } });

Deno.test("what could not be kept for subscribers who are away is not acknowledged", async () => {
  const { intake, sent, say, code } = station();
  intake.keeps = false;
  await say(reading(1));
  intake.settleAll();
  assert.equal(code(), 4503);
  assert.deepEqual(sent.slice(1), []);
});

Deno.test("without room readings wait here, the credit is none, and then it is back", async () => {
  const { intake, sent, say } = station();
  intake.credit = 2;
  await say(reading(1), reading(2), reading(3), reading(4));
  assert.deepEqual(sent.slice(1), [{ type: "credit", readings: 0 }]);
  intake.settleAll();
  intake.credit = 10;
  intake.origin?.resume();
  intake.settleAll();
  assert.deepEqual(sent.slice(2), [
    { type: "ack", id: 1 },
    { type: "ack", id: 2 },
    { type: "credit", readings: 256 },
    { type: "ack", id: 3 },
    { type: "ack", id: 4 },
  ]);
});

Deno.test("more than the credit ends the connection, and what was taken is forgotten by it", async () => {
  const { intake, code, ended, say } = station();
  await say({ type: "batch", items: Array.from({ length: 250 }, () => ({ uuid: "d" })) });
  await say({ type: "batch", items: Array.from({ length: 7 }, () => ({ uuid: "d" })) });
  assert.deepEqual([code(), ended()], [4429, 1]);
  intake.settleAll();
  assert.equal(ended(), 1);
});

Deno.test("acknowledgements that are not read end the connection", async () => {
  const { socket, code, say } = station();
  socket.bufferedAmount = 2_000_000;
  await say({ type: "ping" });
  assert.equal(code(), 4429);
});

Deno.test("where a token is needed nothing is taken without, and each topic is its own", async () => {
  const without = station({ required: true });
  await without.say(reading(1));
  assert.deepEqual([without.code(), without.intake.taken.length], [4401, 0]);
  // Nor a name, by which it would get the commands of the station that has it.
  const named: string[] = [];
  const nameless = station({ required: true, named: (_, name) => named.push(name) });
  await nameless.say({ type: "hello", station: "d" });
  assert.deepEqual([nameless.code(), named], [4401, []]);
  const silent = station({ required: true });
  silent.clock.advance(10_000);
  assert.equal(silent.code(), 4401);
  const wrong = station({ required: true });
  await wrong.say({ type: "hello", token: "bad" });
  assert.equal(wrong.code(), 4401);
  const other = station({ required: true });
  await other.say({ type: "hello", token: "good d", station: "e" });
  assert.equal(other.code(), 4401);

  const { say, sent, intake } = station({ required: true });
  const foreign = { type: "reading", id: 2, payload: { uuid: "e", value: 1 } };
  await say({ type: "hello", token: "good d", station: "d" }, reading(1), foreign);
  assert.deepEqual([intake.taken.length, intake.denied], [1, 1]);
  assert.match(JSON.stringify(sent), /"welcome".*"id":2,"rejected":.*not_authorized/);
});

Deno.test("a token in a message is looked at, wherever it stands, and goes no further", async () => {
  const payloads = ({ intake }: ReturnType<typeof station>) =>
    intake.taken.map(({ bytes, payloadStart, payloadEnd }) =>
      new TextDecoder().decode(bytes.subarray(payloadStart, payloadEnd))
    );
  const own = station({ required: true });
  await own.say({ uuid: "d", value: 1, token: "good d" }, {
    type: "batch",
    items: [{ uuid: "d", value: 2 }, { topic: "device/d", payload: { uuid: "d", token: "mine" } }],
  });
  assert.deepEqual(payloads(own), [
    '{"uuid":"d","value":1,"token":null}',
    '{"uuid":"d","value":2}',
    '{"uuid":"d","token":"mine"}',
  ]);
  const weather = { name: "d", temperature: 1, token: "good d" };
  const open = station();
  await open.say(weather, { type: "reading", payload: weather });
  const bare = '{"name":"d","temperature":1,"token":null}';
  assert.deepEqual(payloads(open), [bare, bare]);
  const inBatch = station({ required: true });
  await inBatch.say({
    type: "batch",
    items: [{ uuid: "d", value: 1 }, { ...weather, token: "bad" }],
  });
  assert.deepEqual([inBatch.code(), inBatch.intake.taken.length], [4401, 0]);
});

Deno.test("a token that expires is asked for again, and then the connection ends", async () => {
  const { say, sent, clock, code, session } = station({ required: true });
  await say({ type: "hello", token: "good d" });
  clock.advance(60_000);
  assert.equal(sent.at(-1)?.["type"], "token_expired");
  await say({ type: "hello", token: "good d" }, reading(1));
  clock.advance(59_000);
  assert.equal(code(), undefined);
  clock.advance(1_000);
  clock.advance(10_000);
  assert.equal(code(), 4401);
  session.recheck();
});

Deno.test("a token ends by the wall clock, whenever somebody sets that", async () => {
  const clock = new ManualClock();
  const inS = (seconds: number) => claimsOf("d", Math.floor(clock.now() / 1_000) + seconds);
  const ahead = station({ required: true, clock, claims: inS(86_400) });
  clock.setBy(90_000_000);
  clock.advance(60_000);
  assert.equal(ahead.sent.at(-1)?.["type"], "token_expired");
  const back = station({ required: true, clock, claims: inS(30) });
  clock.setBy(-3_600_000);
  clock.advance(60_000);
  await back.say(reading(1));
  assert.deepEqual([back.code(), back.intake.taken.length], [undefined, 1]);
  clock.advance(3_600_000);
  assert.equal(back.sent.at(-1)?.["type"], "token_expired");
});

const certificate = { name: "d", issuer: "CN=ca", serial: "01", expiresMs: 2_000_000_000_000 };

Deno.test("a station ends when its certificate is revoked or expires, with a token and without", async () => {
  for (const required of [true, false]) {
    for (const how of ["revoked", "expired"] as const) {
      const ends: ("revoked" | "expired")[] = [];
      const clock = new ManualClock();
      const it = station({
        required,
        clock,
        certificate: { ...certificate, expiresMs: clock.now() + 30_000 },
        endOf: () => ends[0],
      });
      // With a longer life than its certificate.
      await it.say({ type: "hello", token: "good d" }, reading(1));
      it.session.recheck();
      clock.advance(29_999);
      assert.deepEqual([it.code(), it.intake.taken.length], [undefined, 1]);
      ends.push(how);
      if (how === "revoked") it.session.recheck();
      else clock.advance(1);
      assert.equal(it.code(), 4401);
    }
  }
});

Deno.test("who came by a certificate needs no token, and shows none of another account", async () => {
  const options = { required: true, certificate, claims: claimsOf("d", 2_000_000_000) };
  const own = station(options);
  await own.say(reading(1), { type: "hello", token: "good d" }, reading(2));
  assert.deepEqual([own.code(), own.intake.taken.length], [undefined, 2]);
  const other = station(options);
  await other.say({ type: "hello", token: "good e" }, reading(1));
  assert.deepEqual([other.code(), other.intake.taken.length], [4401, 0]);
});

Deno.test("a session of an account that changed ends", async () => {
  const { say, session, code } = station({ required: true, isCurrent: () => false });
  await say({ type: "hello", token: "good d" });
  session.recheck();
  assert.equal(code(), 4401);
});

Deno.test("a ban ends an open station, and one that shows its token or says its name", async () => {
  const untilMs = Date.UTC(2030, 0);
  const bye = { type: "banned", until: "2030-01-01T00:00:00.000Z" };
  const asked: unknown[][] = [];
  let banned = "";
  const bannedUntilMs: StationOptions["bannedUntilMs"] = (account, station, comes) => {
    asked.push([account, station, comes]);
    return banned !== "" && [account, station].includes(banned) ? untilMs : 0;
  };
  const open = station({ bannedUntilMs });
  await open.say({ type: "hello", station: "s" }, reading(1));
  open.session.bansChanged();
  assert.equal(open.code(), undefined);
  banned = "s";
  open.session.bansChanged();
  assert.deepEqual([open.code(), open.ended(), open.sent.at(-1)], [4403, 1, bye]);

  const named: string[] = [];
  const byName = station({ bannedUntilMs, named: (_, name) => named.push(name) });
  await byName.say({ type: "hello", station: "s" }, reading(1));
  assert.deepEqual([byName.code(), byName.sent.at(-1), byName.intake.taken.length], [4403, bye, 0]);
  assert.deepEqual(named, [], "it is told no commands");

  banned = "d";
  const byToken = station({ required: true, bannedUntilMs });
  await byToken.say({ type: "hello", token: "good d", station: "d" }, reading(1));
  assert.deepEqual([byToken.code(), byToken.sent, byToken.intake.taken.length], [4403, [bye], 0]);
  assert.deepEqual(asked, [
    ["", "s", true],
    ["", "s", false],
    ["", "s", false],
    ["", "s", true],
    ["d", "", true],
  ]);
});

Deno.test("with a name and an id a reading can be known again, each by its own", async () => {
  const { say, intake } = station({ hash: (text) => Number(text.split("\n")[2]) });
  await say(reading(1), { type: "hello", station: "s" }, reading(70_001));
  const [first, second] = intake.taken;
  assert.deepEqual([first?.flags, first?.packetId], [0, 0]);
  assert.deepEqual([second?.flags, second?.packetId, intake.origin?.originHash], [4, 1, 70_001]);
});

Deno.test("who it is goes into a hash once for each frame, also one of many readings", async () => {
  const hashed: string[] = [];
  const { say, intake } = station({ hash: (text) => hashed.push(text) });
  const batch = (id: string) => ({ type: "batch", id, items: [{ uuid: "d" }, { uuid: "e" }] });
  intake.credit = 3;
  await say({ type: "hello", station: "s" }, batch("a"), batch("b"));
  intake.credit = 1;
  intake.origin?.resume();
  assert.deepEqual(hashed, ["\ns\na", "\ns\nb"]);
  assert.deepEqual(intake.taken.map(({ packetId }) => packetId), [1, 2, 1, 2]);
  assert.equal(intake.origin?.originHash, 2);
});

Deno.test("a name of more characters than a client id may have ends the connection", async () => {
  const named: string[] = [];
  const it = station({ named: (_, name) => named.push(name) });
  const longest = "ß".repeat(256);
  await it.say({ type: "hello", station: longest });
  assert.deepEqual([it.code(), named], [undefined, [longest]]);
  await it.say({ type: "hello", station: `${longest}s` });
  assert.deepEqual([it.code(), it.session.station, named], [4400, longest, [longest]]);
});

Deno.test("a command is answered, in time or not at all, and then nothing waits for it", async () => {
  const { session, sent, say, clock } = station();
  const [quick, never, late] = [1, 2, 3].map((n) => session.command(n));
  assert.deepEqual(sent.slice(1), [1, 2, 3].map((n) => ({ type: "command", id: n, command: n })));
  await say({ type: "result", id: 1, result: { ok: true } });
  assert.deepEqual([await quick, clock.pending], [{ ok: true }, 2]);
  clock.advance(10_000);
  assert.deepEqual([await never, await late, clock.pending], [undefined, undefined, 0]);
  await say({ type: "result", id: 3, result: "too late" });
  const gone = session.command(4);
  session.closed();
  assert.deepEqual([await gone, clock.pending], [undefined, 0]);
});

Deno.test("a drain takes nothing more and ends when all is acknowledged", async () => {
  const { say, sent, intake, session, code } = station();
  await say(reading(1));
  session.drain();
  await say(reading(2));
  assert.equal(code(), undefined);
  intake.settleAll();
  assert.equal(code(), 1001);
  assert.deepEqual(sent.slice(1), [{ type: "credit", readings: 0 }, { type: "ack", id: 1 }]);
});

Deno.test("with a frame's worth of readings waiting nothing more is read, until there is room", async () => {
  const { intake, session } = station();
  intake.credit = 0;
  const frame = encoder.encode(
    JSON.stringify({ ...reading(1), pad: "x".repeat(300 * 1024) }),
  );
  const released: number[] = [];
  const room = (n: number) => ({ hasRoom: true, release: () => released.push(n) });
  await session.received(frame, room(1));
  let taken = false;
  const second = session.received(frame, room(2)).then(() => taken = true);
  for (let i = 0; i < 50; i++) await Promise.resolve();
  assert.deepEqual([taken, released], [false, []]);
  intake.credit = 1;
  intake.origin?.resume();
  await second;
  assert.deepEqual([taken, released], [true, [1]]);
  session.closed();
  assert.deepEqual(released, [1, 2]);
});

Deno.test("what waits without a room of its own is waited for, however little it is", async () => {
  const { intake, session } = station();
  intake.credit = 0;
  const frame = encoder.encode(JSON.stringify(reading(1)));
  let taken = false;
  const received = session.received(frame, { ...free, hasRoom: false }).then(() => taken = true);
  for (let i = 0; i < 50; i++) await Promise.resolve();
  assert.equal(taken, false);
  intake.credit = 1;
  intake.origin?.resume();
  await received;
});
