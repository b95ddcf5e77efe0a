import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import { reasonCodes } from "../mqtt/codec/reason_code.ts";
import type { Credentials } from "../mqtt/endpoint/endpoint_options.ts";
import { type AccountQuestion, type AskAccounts, mqttAuthenticator } from "./mqtt_authenticator.ts";
import type { Permissions } from "./permissions.ts";
import { clockToleranceS, signToken, tokenKey } from "./token.ts";
import { TokenGate } from "./token_gate.ts";

const utf8 = new TextEncoder();
const permissions: Permissions = { roles: ["device"], read: ["a/#"], write: ["a/b"], devices: [] };
const keys = [await tokenKey("one key of at least thirty-two bytes")];
const {
  badUserNameOrPassword,
  connectionRateExceeded,
  notAuthorized,
  serverBusy,
  serverUnavailable,
} = reasonCodes;

interface Given extends Partial<Omit<Credentials, "password">> {
  readonly password?: string | Uint8Array;
}

/** The accounts answer `answer`; by default with version 3 of whoever asks. */
function setUp(
  answer: Awaited<ReturnType<AskAccounts>> = { kind: "granted", version: 3, permissions },
) {
  const clock = new ManualClock(1_800_000_000_000);
  const gate = new TokenGate();
  gate.setKeys(keys);
  gate.setOpen();
  const asked: AccountQuestion[] = [];
  const authenticate = mqttAuthenticator(gate, (question) => {
    asked.push(question);
    return Promise.resolve(answer);
  }, clock);
  const nowS = clock.now() / 1000;
  return {
    gate,
    clock,
    asked,
    token: (name: string, version = 3) =>
      signToken({ name, version, issuedS: nowS, expiresS: nowS + 60, permissions }, keys),
    connect: async ({ password, ...given }: Given) =>
      await authenticate({
        clientId: "c",
        peer: "10.0.0.1:4711",
        ...given,
        ...(password !== undefined && {
          password: typeof password === "string" ? utf8.encode(password) : password,
        }),
      }),
  };
}

const denied = (reasonCode: number) => ({ kind: "denied", reasonCode });

Deno.test("a name with its password is asked of the accounts, with the address alone", async () => {
  const { connect, asked } = setUp();
  const answer = await connect({ username: "A", password: "right", peer: "[::1]:4711" });
  assert.ok(answer.kind === "granted");
  assert.deepEqual([answer.account, answer.accountVersion, answer.expiresMs], ["A", 3, undefined]);
  assert.deepEqual(asked, [{ name: "A", address: "[::1]", proof: "password", password: "right" }]);
  const topic = utf8.encode("a/b/c");
  assert.equal(answer.permit?.publish(topic, 0, 3), true);
  assert.equal(answer.permit?.publish(topic, 0, 5), false);
  assert.equal(answer.permit?.subscribe("a/+"), true);
  assert.equal(answer.permit?.subscribe("#"), false);
});

Deno.test("what the accounts say becomes a reason code", async () => {
  const codes = {
    wrong: badUserNameOrPassword,
    limited: connectionRateExceeded,
    busy: serverBusy,
    unavailable: serverUnavailable,
  } as const;
  for (const kind of ["wrong", "limited", "busy", "unavailable"] as const) {
    const { connect } = setUp({ kind });
    assert.deepEqual(await connect({ username: "A", password: "x" }), denied(codes[kind]), kind);
  }
});

Deno.test("who shows nothing is not authorized, and nobody is asked", async () => {
  const { connect, asked } = setUp();
  for (const given of [{}, { username: "A" }, { username: "A", password: "" }]) {
    assert.deepEqual(await connect(given), denied(notAuthorized));
  }
  assert.deepEqual(asked, []);
});

Deno.test("a password that is no UTF-8 is asked for like any wrong one", async () => {
  const { connect, asked } = setUp({ kind: "wrong" });
  const answer = await connect({ username: "A", password: new Uint8Array([0xff]) });
  assert.deepEqual(answer, denied(badUserNameOrPassword));
  assert.deepEqual(asked, [{ name: "A", address: "10.0.0.1", proof: "password", password: "\0" }]);
});

Deno.test("an answer for a version that has been changed since is not good", async () => {
  const { connect, gate } = setUp();
  gate.change([{ name: "A", version: 4 }]);
  assert.deepEqual(await connect({ username: "A", password: "x" }), denied(notAuthorized));
});

Deno.test("a token as password needs no question, and ends the session when it expires", async () => {
  const { connect, asked, clock, token } = setUp();
  for (const username of [undefined, "", "A"]) {
    const given = username === undefined ? {} : { username };
    const answer = await connect({ ...given, password: await token("A") });
    assert.ok(answer.kind === "granted");
    assert.deepEqual([answer.account, answer.accountVersion], ["A", 3]);
    assert.equal(answer.expiresMs, clock.now() + (60 + clockToleranceS) * 1000);
  }
  assert.deepEqual(asked, []);
});

Deno.test("a token is of one account: not outdated, not expired, not of another name", async () => {
  const { connect, gate, clock, token } = setUp();
  const password = await token("A");
  const other = await connect({ username: "B", password });
  assert.deepEqual(other, denied(badUserNameOrPassword));
  const forged = await connect({ password: `${password}x` });
  assert.deepEqual(forged, denied(badUserNameOrPassword));
  gate.change([{ name: "A", version: 4 }]);
  assert.deepEqual(await connect({ password }), denied(notAuthorized));
  assert.equal((await connect({ password: await token("A", 4) })).kind, "granted");
  clock.advance((61 + clockToleranceS) * 1000);
  assert.deepEqual(await connect({ password: await token("A", 4) }), denied(notAuthorized));
});

Deno.test("a certificate lets in without a password, and for its own name alone", async () => {
  const { connect, asked, token } = setUp();
  for (const username of [undefined, "", "A"]) {
    const given = username === undefined ? {} : { username };
    const answer = await connect({ ...given, certifiedName: "A" });
    assert.ok(answer.kind === "granted" && answer.account === "A");
  }
  const question = { name: "A", address: "10.0.0.1", proof: "certificate" };
  assert.deepEqual(asked.splice(0), [question, question, question]);
  for (
    const given of [{ username: "B" }, { username: "B", password: "x" }, {
      password: await token("B"),
    }]
  ) {
    const answer = await connect({ ...given, certifiedName: "A" });
    assert.deepEqual(answer, denied(badUserNameOrPassword));
  }
  assert.deepEqual(asked, []);
  // A password beside it must be right, too.
  await connect({ certifiedName: "A", password: "x" });
  assert.deepEqual(asked.map(({ proof }) => proof), ["password"]);
});
