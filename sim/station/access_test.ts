import assert from "node:assert/strict";
import { Access } from "./access.ts";

const url = "ws://home.example/ws";

/** Each login takes the next answer. */
function accessOf(...answers: (readonly string[] | Error)[]): Access {
  let count = 0;
  return new Access({
    url,
    logIn: () => {
      const endpoints = answers[count++] ?? assert.fail("no such login");
      return endpoints instanceof Error
        ? Promise.reject(endpoints)
        : Promise.resolve({ token: `token ${count}`, endpoints });
    },
  });
}

Deno.test("without a login there is one place and one token", async () => {
  const access = new Access({ url, token: "given" });
  for (const then of [() => access.unanswered(), () => access.refused()]) {
    assert.deepEqual(await access.place(), { url, token: "given" });
    then();
  }
  assert.deepEqual(await access.place(), { url, token: "given" });
  assert.deepEqual(await new Access({ url }).place(), { url, token: undefined });
});

Deno.test("the places of a login are taken in turn, then there is a new one", async () => {
  const [a, b, c] = ["ws://a.example/ws", "wss://b.example/ws", "wss://c.example:8443/ws"];
  const access = accessOf(
    ["mqtts://a.example:8883", a, "ws://a.example/mqtt", "nonsense", b],
    [c],
  );
  assert.deepEqual(await access.place(), { url: a, token: "token 1" });
  assert.deepEqual(await access.place(), { url: a, token: "token 1" });
  access.unanswered();
  assert.deepEqual(await access.place(), { url: b, token: "token 1" });
  access.unanswered();
  assert.deepEqual(await access.place(), { url, token: "token 1" });
  access.unanswered();
  assert.deepEqual(await access.place(), { url: c, token: "token 2" });
  assert.equal(access.logins, 2);
});

Deno.test("a token that is refused, or ends, is followed by a login", async () => {
  const access = new Access({
    url,
    token: "old",
    logIn: () => Promise.resolve({ token: "new", endpoints: ["mqtt://a.example"] }),
  });
  assert.equal((await access.place()).token, "old");
  access.refused();
  assert.deepEqual(await access.place(), { url, token: "new" });
  assert.deepEqual(await access.renewed(), { url, token: "new" });
  assert.equal(access.logins, 2);
});

Deno.test("a login that fails leaves the way open for the next", async () => {
  const access = accessOf(new Error("away"), []);
  await assert.rejects(access.place(), /away/);
  assert.deepEqual(await access.place(), { url, token: "token 2" });
});
