/**
 * Every operation of HTTP, asked for in every wrong way: each error is a problem (RFC 9457) that
 * says what to do, with the headers that its status wants, and tells nothing of the inside.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Asked } from "../../gateways/auth/api_guard.ts";
import { openApiDocument } from "../../gateways/http/openapi/document.ts";
import type { Access, Operation } from "../../gateways/http/openapi/operation.ts";
import { findResource, operations } from "../../gateways/http/openapi/resources.ts";
import { documentChecker } from "../../gateways/http/testing/document_checker.ts";
import { addAccount, adminPassword, login } from "../support/accounts.ts";
import { startSluice } from "../support/sluice.ts";

const methods = ["GET", "PUT", "POST", "DELETE", "PATCH", "PROPFIND"];
const names: Readonly<Record<string, string>> = {
  id: "UPB~x",
  topic: "UPB/x",
  name: "roof",
  key: "account:x",
  script: "page.js",
};
const pathOf = ({ path }: Operation): string =>
  path.replace(/\{(\w+)\}/, (_, name: string) => names[name] ?? assert.fail(name));

const checker = documentChecker(openApiDocument("1.0.0"));
const all = Object.values(operations);
const api = all.filter(({ path }) => path.startsWith("/api/"));
const asksFor = ({ access }: Operation): boolean => access !== "open" && access !== "connection";
const hasBody = all.filter(({ body }) => body !== undefined);
const bodyTypes = ({ body }: Operation): string[] => Object.keys(body?.content ?? {});
const readsTypes = hasBody.filter((operation) => !bodyTypes(operation).includes("*/*"));
const garbage = Uint8Array.of(0xff, 0xfe, 0x00, 0x7b, 0x22, 0x0a, 0xff);

/** Roles of an account → what it may not do. */
const forbidden: Readonly<Record<string, readonly Asked[]>> = {
  operator: ["admin"],
  reader: ["admin", "operator", "topic-write"],
  device: ["admin", "operator", "reader", "device", "topic-read", "topic-write"],
};

Deno.test("every error of every operation is a problem that says what to do", async (t) => {
  await using sluice = await startSluice({ config: { shards: 1, auth: { required: true } } });
  const { httpUrl } = sluice;
  const admin = await login(httpUrl, "admin", await adminPassword(sluice));
  const tokens: Record<string, string> = {};
  for (const role of Object.keys(forbidden)) {
    const name = `errors/${role}`;
    const password = await addAccount(httpUrl, admin, { name, kind: "service", roles: [role] });
    tokens[role] = await login(httpUrl, name, password);
  }

  /** Sends what is wrong; gives the answer, which must be a problem of this status. */
  const problem = async (
    operation: Operation,
    status: number,
    init: RequestInit & { method?: string; search?: string; token?: string | null },
  ): Promise<Headers> => {
    const { search = "", token = admin, ...rest } = init;
    const method = init.method ?? operation.method;
    const path = `${pathOf(operation)}${search}`;
    const headers = new Headers(init.headers);
    if (token !== null) headers.set("authorization", `Bearer ${token}`);
    const answer = await fetch(`${httpUrl}${path}`, { ...rest, method, headers });
    const body = new Uint8Array(await answer.arrayBuffer());
    const text = new TextDecoder().decode(body);
    const about = `${method} ${path} ${answer.status} ${text}`;
    assert.equal(answer.status, status, about);
    assert.equal(answer.headers.get("content-type"), "application/problem+json", about);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff", about);
    assert.equal(answer.headers.get("cache-control"), "no-store", about);
    const { detail } = JSON.parse(text);
    assert.ok(detail.length > 5, about);
    assert.doesNotMatch(text, /\.ts\b|node:|ext:|\bat async\b|<html/i, about);
    if (method === operation.method) {
      checker.check(`${method} ${operation.path}`, {
        status: answer.status,
        headers: answer.headers,
        body,
      });
    }
    return answer.headers;
  };
  const step = async (
    name: string,
    over: readonly Operation[],
    check: (operation: Operation) => Promise<void>,
  ) => {
    assert.ok(over.length > 0, name);
    await t.step(name, async () => {
      for (const operation of over) await check(operation);
    });
  };

  await step(
    "without a token, and with one that is none: 401 with the way in",
    all,
    async (one) => {
      if (!asksFor(one)) return;
      for (const token of [null, "a.b.c"]) {
        const headers = await problem(one, 401, { token });
        assert.match(headers.get("www-authenticate") ?? "", /^Bearer realm="sluice"/);
      }
    },
  );
  for (const [role, mayNot] of Object.entries(forbidden)) {
    const refused = (access: Access) => mayNot.some((one) => one === access);
    const over = all.filter(({ access }) => refused(access));
    await step(`as ${role}: 403`, over, async (one) => {
      await problem(one, 403, { token: tokens[role] ?? null });
    });
  }
  await step("another method: 405 with those that are allowed", all, async (one) => {
    const known = [...findResource(pathOf(one))?.operations.keys() ?? []];
    for (const method of methods.filter((method) => !known.includes(method))) {
      const body = method === "PUT" ? "x".repeat(1_000_000) : null;
      const headers = await problem(one, 405, { method, body });
      assert.deepEqual(headers.get("allow")?.split(", "), known);
    }
    const options = await fetch(`${httpUrl}${pathOf(one)}`, {
      method: "OPTIONS",
      headers: { authorization: `Bearer ${admin}` },
    });
    assert.deepEqual([options.status, await options.text()], [204, ""]);
    assert.deepEqual(options.headers.get("allow")?.split(", "), known);
  });
  await step("what nobody knows to read: 415 with what to send", readsTypes, async (one) => {
    const headers = await problem(one, 415, {
      headers: { "content-type": "application/x-odd" },
      body: "{}",
    });
    assert.deepEqual(headers.get("accept")?.split(", "), bodyTypes(one));
  });
  await step("an encoding that nobody knows: 415 with those that are", hasBody, async (one) => {
    const packs = one.parameters?.some(({ name }) => name === "Content-Encoding") ?? false;
    const headers = await problem(one, 415, {
      headers: { "content-type": bodyTypes(one)[0] ?? "", "content-encoding": "br" },
      body: garbage,
    });
    assert.equal(headers.get("accept-encoding"), packs ? "gzip" : "identity");
  });
  await step("garbage: 400", readsTypes, async (one) => {
    for (const type of bodyTypes(one)) {
      await problem(one, 400, { headers: { "content-type": type }, body: garbage });
      await problem(one, 400, { headers: { "content-type": type }, body: "[[[" });
    }
    if (one.body?.required === true) {
      await problem(one, 400, { headers: { "content-type": bodyTypes(one)[0] ?? "" } });
    }
  });
  await step("a body without end: 413", hasBody, async (one) => {
    const type = bodyTypes(one)[0] ?? "";
    const body = new Uint8Array(5 << 20).fill(0x20);
    await problem(one, 413, { headers: { "content-type": type }, body });
    const stream = new Blob([body]).stream();
    await problem(one, 413, { headers: { "content-type": type }, body: stream });
  });
  await step("a media type that there is none of: 406", api, async (one) => {
    const types = one.answers.flatMap(({ content = {} }) => Object.keys(content));
    if (types.length === 0 || types.includes("*/*")) return;
    await problem(one, 406, { headers: { accept: "image/png" } });
  });
  await step("a parameter that is not known: 400 with its name", api, async (one) => {
    const type = bodyTypes(one)[0];
    await problem(one, 400, {
      search: "?no_such=1",
      ...(type === undefined ? {} : { headers: { "content-type": type }, body: "{}" }),
    });
  });
  await step("a page of another site: 403", all, async (one) => {
    if (one.method !== "GET") await problem(one, 403, { headers: { origin: "https://evil" } });
  });
  const plain = api.filter(({ method, path }) => method === "GET" && /(s|\.json)$/.test(path));
  await step("a GET with a body is a GET", plain, async (one) => {
    const { hostname, port } = new URL(httpUrl);
    using socket = await Deno.connect({ hostname, port: Number(port) });
    const head =
      `${one.method} ${pathOf(one)} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n` +
      `Authorization: Bearer ${admin}\r\nContent-Length: 2\r\n\r\n{}`;
    await socket.write(new TextEncoder().encode(head));
    const answer = await new Response(socket.readable).text();
    assert.match(answer, /^HTTP\/1\.1 (200|404) /);
  });

  await t.step("a target that is none: 400", async () => {
    const { hostname, port } = new URL(httpUrl);
    const targets: readonly (readonly [string, string])[] = [
      ["/api/status", "a b"],
      ["/api/status", "[::1"],
      ["/api/accounts", "x/api/openapi.json?"],
      ["/healthz", "user@h"],
      ["http://x:99999/healthz", "x"],
    ];
    for (const [target, host] of targets) {
      using socket = await Deno.connect({ hostname, port: Number(port) });
      const head = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      await socket.write(new TextEncoder().encode(head));
      const answer = await new Response(socket.readable).text();
      assert.match(answer, /^HTTP\/1\.1 400 [^]*"urn:sluice:problem:invalid-header"/, target);
    }
  });

  await t.step("paths that are nowhere: 401, and 404 for who has a token", async () => {
    for (
      const path of ["/api", "/api/", "/api/x", "/api/status/", "/api/%73tatus", "/api/devices/"]
    ) {
      const answer = await fetch(`${httpUrl}${path}`);
      assert.equal(answer.status, 401, path);
      await answer.body?.cancel();
      const known = await fetch(`${httpUrl}${path}`, {
        headers: { authorization: `Bearer ${admin}` },
      });
      assert.equal(known.status, 404, path);
      assert.equal(known.headers.get("content-type"), "application/problem+json");
      await known.body?.cancel();
    }
    for (const path of ["/x", "/%61pi/status", "/index.html", "/login/", "/ws/x", "/toString"]) {
      const answer = await fetch(`${httpUrl}${path}`, {
        method: "POST",
        body: "x".repeat(1_000_000),
      });
      assert.equal(answer.status, 404, path);
      assert.equal(answer.headers.get("content-type"), "application/problem+json");
      await answer.body?.cancel();
    }
  });
});
