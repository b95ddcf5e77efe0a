import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import { answerLogin, type LoginParts } from "./login.ts";
import type { Logins } from "./logins.ts";
import { type QuickAccounts, quickAccounts } from "./testing/quick_accounts.ts";
import { verifyToken } from "./token.ts";

const unexpected = (cause: unknown): void => {
  throw cause;
};

const post = (body: BodyInit, type: string, headers: Record<string, string> = {}) =>
  new Request("http://127.0.0.1/login", {
    method: "POST",
    body,
    headers: { "content-type": type, ...headers },
  });
/** As `deno serve` hands on a request without Content-Type: with a stream, empty or not. */
const untyped = (...texts: string[]) =>
  new Request("http://127.0.0.1/login", {
    method: "POST",
    body: ReadableStream.from(texts.map((text) => new TextEncoder().encode(text))),
  });
const form = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
  post(new URLSearchParams(fields), "application/x-www-form-urlencoded", headers);
const json = (value: unknown, headers: Record<string, string> = {}) =>
  post(JSON.stringify(value), "application/json", headers);

async function withDevice(
  check: (
    ask: (request: Request, address?: string) => Promise<Response>,
    password: string,
    it: QuickAccounts,
  ) => Promise<void>,
): Promise<void> {
  await using it = await quickAccounts();
  const { password } = await it.accounts.add({ name: "A", kind: "device" }, "admin");
  await check(
    (request, address = "10.0.0.1") =>
      answerLogin(request, address, { ...it, refused: () => {}, failed: unexpected }),
    password,
    it,
  );
}

Deno.test("a login by form answers the token as text, by JSON the same", () =>
  withDevice(async (ask, password, it) => {
    for (const make of [form, json]) {
      for (const accept of [undefined, "*/*", "text/plain", "text/html"]) {
        const headers = accept === undefined ? undefined : { accept };
        const answer = await ask(make({ name: "A", password }, headers));
        assert.equal(answer.status, 200);
        assert.equal(answer.headers.get("content-type"), "text/plain; charset=utf-8");
        assert.equal(answer.headers.get("cache-control"), "no-store");
        assert.equal(answer.headers.get("set-cookie"), null);
        assert.match(answer.headers.get("sluice-endpoints") ?? "", /^mqtts:\/\/\S+, mqtts:\/\//);
        const claims = await verifyToken(await answer.text(), it.keys, it.clock.now());
        assert.ok(typeof claims === "object" && claims.name === "A");
      }
    }
  }));

Deno.test("as JSON when Accept asks for it", () =>
  withDevice(async (ask, password, it) => {
    const asks = ["application/json", "text/plain;q=0.5, application/json", "application/json;q=1"];
    for (const accept of asks) {
      const answer = await ask(form({ name: "A", password }, { accept }));
      assert.equal(answer.headers.get("content-type"), "application/json");
      const { token, endpoints, expiresAt } = await answer.json();
      assert.ok(typeof await verifyToken(token, it.keys, it.clock.now()) === "object");
      assert.equal(endpoints.length, 2);
      assert.equal(Date.parse(expiresAt), it.clock.now() + 3_600_000);
    }
    const text = await ask(form({ name: "A", password }, { accept: "application/json;q=0, */*" }));
    assert.equal(text.headers.get("content-type"), "text/plain; charset=utf-8");
    await text.body?.cancel();
  }));

Deno.test("an instance that listens on all addresses is named as it was asked", () =>
  withDevice(async (_, password, it) => {
    const logins: LoginParts["logins"] = {
      login: async (...login) => {
        const result = await it.logins.login(...login);
        return { ...result, endpoints: ["mqtt://0.0.0.0:1883", "mqtts://one.example:8883"] };
      },
    };
    const request = new Request("http://10.1.2.3:8080/login", form({ name: "A", password }));
    const parts = { clock: it.clock, logins, refused: () => {}, failed: unexpected };
    const answer = await answerLogin(request, "10.1.2.4", parts);
    await answer.body?.cancel();
    assert.equal(
      answer.headers.get("sluice-endpoints"),
      "mqtt://10.1.2.3:1883, mqtts://one.example:8883",
    );
  }));

Deno.test("a session cookie only when it is asked for", () =>
  withDevice(async (ask, password) => {
    const proxied = { "x-forwarded-proto": "https" };
    const plain = await ask(json({ name: "A", password, session: true }));
    assert.match(
      plain.headers.get("set-cookie") ?? "",
      /^sluice_session=ey[\w.-]+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Strict$/,
    );
    const secure = await ask(json({ name: "A", password, session: true }, proxied));
    assert.match(secure.headers.get("set-cookie") ?? "", /; Secure$/);
    const overTls = await ask(
      new Request("https://h/login", json({ name: "A", password, session: true })),
    );
    assert.match(overTls.headers.get("set-cookie") ?? "", /; Secure$/);
    const none = await ask(json({ name: "A", password, session: false }));
    assert.equal(none.headers.get("set-cookie"), null);
  }));

Deno.test("wrong password and unknown user: the same 401 for the same work", () =>
  withDevice(async (ask, _, it) => {
    const answers: unknown[] = [];
    for (const name of ["A", "nobody", "#", "__proto__"]) {
      const before = it.hasher.derivations;
      const answer = await ask(form({ name, password: "wrong" }));
      assert.equal(answer.status, 401);
      assert.equal(it.hasher.derivations, before + 1);
      answers.push([await answer.text(), [...answer.headers]]);
    }
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
  }));

Deno.test("a missing field is 400 and names it; a body that is none too", () =>
  withDevice(async (ask) => {
    const cases: readonly (readonly [Request, RegExp])[] = [
      [form({ name: "A" }), /field password is missing/],
      [form({ password: "x" }), /field name is missing/],
      [form({}), /field name is missing/],
      [new Request("http://127.0.0.1/login", { method: "POST" }), /field name is missing/],
      [untyped(), /field name is missing/],
      [json({ name: "A", password: "" }), /field password is missing/],
      [json({ name: { $ne: "" }, password: "x" }), /name must be a text/],
      [json({ name: "A", password: ["x"] }), /password must be a text/],
      [json([]), /must be an object/],
      [json(null), /must be an object/],
      [post("{", "application/json"), /not JSON/],
      [post("name=A&name=B&password=x", "application/x-www-form-urlencoded"), /given twice/],
    ];
    for (const [request, expected] of cases) {
      const answer = await ask(request);
      assert.equal(answer.status, 400);
      assert.equal(answer.headers.get("content-type"), "application/problem+json");
      assert.match((await answer.json()).detail, expected);
    }
    assert.equal((await ask(post("x", "text/xml"))).status, 415);
    assert.equal((await ask(untyped("name=A&password=x"))).status, 415);
    assert.equal((await ask(form({ name: "A", password: "x".repeat(9_000) }))).status, 413);
  }));

Deno.test("other methods are 405", () =>
  withDevice(async (ask) => {
    for (const method of ["GET", "PUT", "DELETE", "PATCH", "HEAD"]) {
      const answer = await ask(new Request("http://127.0.0.1/login", { method }));
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.get("allow"), "POST");
    }
  }));

Deno.test("too many tries are 429 with Retry-After", () =>
  withDevice(async (ask) => {
    for (let i = 0; i < 10; i++) {
      assert.equal((await ask(form({ name: "A", password: "wrong" }))).status, 401);
    }
    const answer = await ask(form({ name: "A", password: "wrong" }), "10.0.0.2");
    assert.equal(answer.status, 429);
    assert.equal(answer.headers.get("retry-after"), "30");
  }));

Deno.test("a database that is away is 503, and told to who runs it", async () => {
  const cause = new Error("connection refused");
  const causes: unknown[] = [];
  const away: Pick<Logins, "login"> = { login: () => Promise.reject(cause) };
  const answer = await answerLogin(form({ name: "A", password: "x" }), "::1", {
    logins: away,
    clock: new ManualClock(0),
    refused: unexpected,
    failed: (one) => causes.push(one),
  });
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("retry-after"), "5");
  assert.ok(!(await answer.text()).includes("refused"));
  assert.deepEqual(causes, [cause]);
});
