/**
 * What an account may do with topics over HTTP: filters, wildcards, `$`-topics, paths that are
 * written oddly, the values of devices, and streams whose account loses its rights.
 *
 * @module
 */
import assert from "node:assert/strict";
import { addAccount, adminPassword, api, login } from "../support/accounts.ts";
import { startSluice, until } from "../support/sluice.ts";

const events = { accept: "text/event-stream" };

type Case = readonly [
  who: string,
  method: string,
  path: string,
  status: number,
  headers?: Readonly<Record<string, string>>,
];

/**
 * `viewer` reads `UPB/+` and writes `out/#`; `meter` is a device of that name; `keeper` has the
 * devices `UPB~*` and no topic; `system` reads `$SYS/#`; `reader` and `operator` have the role.
 */
const cases: readonly Case[] = [
  // Read: the same topic however it is written, and no other.
  ["viewer", "GET", "UPB/A", 200],
  ["viewer", "HEAD", "UPB/A", 200],
  ["viewer", "GET", "UPB%2FA", 200],
  ["viewer", "GET", "UPB%2fA", 200],
  ["viewer", "GET", "%55PB/A", 200],
  ["viewer", "GET", "x/../UPB/A", 200],
  ["viewer", "GET", "UPB/A?history=5", 200],
  ["viewer", "GET", "UPB/A", 200, { "x-http-method-override": "DELETE" }],
  ["viewer", "GET", "other/x", 403],
  ["viewer", "GET", "other%2Fx", 403],
  ["viewer", "HEAD", "other/x", 403],
  ["viewer", "GET", "other/x?history=5", 403],
  ["viewer", "GET", "other/x?device=UPB~A", 403],
  ["viewer", "GET", "other/x", 403, { "sluice-topic": "UPB/A" }],
  ["viewer", "GET", "UPB/../other/x", 403],
  ["viewer", "GET", "UPB/%2e%2e/other/x", 403],
  ["viewer", "GET", "UPB%2F..%2Fother%2Fx", 403],
  ["viewer", "GET", "UPB%252FA", 403],
  ["viewer", "GET", "UPB//A", 403],
  ["viewer", "GET", "/UPB/A", 403],
  ["viewer", "GET", "UPB/A/", 403],
  ["viewer", "GET", "upb/A", 403],
  ["viewer", "GET", "UPB/A%00", 400],
  ["viewer", "GET", "%ff", 403],
  ["viewer", "GET", "%23", 403],
  ["viewer", "GET", "UPB/%2B", 400],
  ["reader", "GET", "other/x", 200],
  ["keeper", "GET", "UPB/A", 403],
  ["meter", "GET", "meter", 404],
  ["meter", "GET", "UPB/A", 403],
  // Follow: only what the filters cover.
  ["viewer", "GET", "UPB/A", 200, events],
  ["viewer", "GET", "UPB/%2B", 200, events],
  ["viewer", "GET", "UPB/+", 200, events],
  ["viewer", "GET", "UPB/%23", 403, events],
  ["viewer", "GET", "+/A", 403, events],
  ["viewer", "GET", "%23", 403, events],
  ["viewer", "GET", "%24share/g/UPB/+", 403, events],
  ["reader", "GET", "%24share/g/UPB/+", 400, events],
  ["viewer", "GET", "%24SYS/%23", 403, events],
  ["system", "GET", "%24SYS/%23", 200, events],
  ["system", "GET", "$SYS/broker/version", 200, events],
  ["system", "GET", "%23", 403, events],
  // Write.
  ["viewer", "PUT", "out/x", 204],
  ["viewer", "PUT", "out", 204],
  ["viewer", "POST", "out%2Fx", 204],
  ["viewer", "POST", "out/x?reading=false", 204],
  ["viewer", "DELETE", "out/x", 204],
  ["viewer", "GET", "out/x", 403],
  // Conditions would tell of a value that may not be read.
  ["viewer", "PUT", "out/x", 403, { "if-none-match": "*" }],
  ["viewer", "DELETE", "out/x", 403, { "if-match": "*" }],
  ["operator", "DELETE", "out/none", 412, { "if-match": "*" }],
  ["viewer", "PUT", "UPB/A", 403],
  ["viewer", "POST", "UPB/A", 403],
  ["viewer", "POST", "UPB/A?reading=false", 403],
  ["viewer", "DELETE", "UPB/A", 403],
  ["viewer", "PUT", "out/../UPB/A", 403],
  ["viewer", "PUT", "out/%2e%2e/UPB/A", 403],
  ["viewer", "DELETE", "out/..//UPB/A", 403],
  ["viewer", "PUT", "outside", 403],
  ["viewer", "PUT", "out/%23", 400],
  ["viewer", "PUT", "out/%2B", 400],
  ["viewer", "PUT", "out/x%0Ay", 400],
  ["viewer", "PUT", "UPB/A", 403, { "sluice-topic": "out/x", "x-http-method-override": "GET" }],
  ["meter", "PUT", "meter", 204],
  ["meter", "PUT", "device/meter2", 403],
  ["meter", "DELETE", "UPB/A", 403],
  ["reader", "PUT", "UPB/A", 403],
  ["reader", "DELETE", "UPB/A", 403],
  ["keeper", "PUT", "UPB/A", 403],
  ["operator", "PUT", "other/y", 204],
  // Topics that begin with $ are the server's own, also for who may write everything.
  ...["operator", "admin"].flatMap((who) =>
    ["$SYS/x", "%24SYS/x", "$weather/x", "%24line/x", "$share/g/x", "$"].flatMap((path): Case[] => [
      [who, "PUT", path, 403],
      [who, "POST", path, 403],
      [who, "DELETE", path, 403],
    ])
  ),
];

/** Reads a stream to its end; gives what came. */
async function toEnd(answer: Response): Promise<string> {
  return await new Response(answer.body).text();
}

Deno.test("topics over HTTP are held to what an account may read and write", async (t) => {
  await using sluice = await startSluice({ config: { shards: 2, auth: { required: true } } });
  const { httpUrl } = sluice;
  const admin = await login(httpUrl, "admin", await adminPassword(sluice));
  const passwords: Record<string, string> = {};
  const tokens: Record<string, string> = { admin };
  const accounts = [
    { name: "viewer", kind: "service", read: ["UPB/+"], write: ["out/#"] },
    { name: "meter", kind: "device" },
    { name: "keeper", kind: "service", devices: ["UPB~*"] },
    { name: "system", kind: "service", read: ["$SYS/#"] },
    { name: "reader", kind: "service", roles: ["reader"] },
    { name: "operator", kind: "service", roles: ["operator"] },
  ];
  for (const account of accounts) {
    passwords[account.name] = await addAccount(httpUrl, admin, account);
    tokens[account.name] = await login(httpUrl, account.name, passwords[account.name] ?? "");
  }
  const ask = async (
    who: string,
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> =>
    await fetch(`${httpUrl}/api/topics/${path}`, {
      method,
      headers: { authorization: `Bearer ${tokens[who]}`, ...headers },
      ...(method === "PUT" || method === "POST" ? { body: '{"v":1}' } : {}),
    });
  const put = async (topic: string, body: string, query = "") => {
    const answer = await fetch(`${httpUrl}/api/topics/${topic}${query}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${admin}` },
      body,
    });
    assert.equal(answer.status, 204, await answer.text());
  };
  await put("UPB/A", '{"TMP":1}');
  await put("other/x", "secret", "?reading=false");

  for (const [who, method, path, status, headers] of cases) {
    const how = headers === undefined ? "" : ` ${JSON.stringify(headers)}`;
    await t.step(`${who}: ${method} ${path}${how}`, async () => {
      const answer = await ask(who, method, path, headers);
      if (answer.headers.get("content-type") === "text/event-stream") {
        await answer.body?.cancel();
      } else if (status >= 400) assert.doesNotMatch(await answer.text(), /secret|"TMP"/);
      else await answer.body?.cancel();
      assert.equal(answer.status, status);
    });
  }
  await t.step("and nothing of it has changed what it may not", async () => {
    assert.equal(await (await ask("admin", "GET", "UPB/A")).text(), '{"TMP":1}');
    assert.equal(await (await ask("admin", "GET", "other/x")).text(), "secret");
  });

  await t.step("a topic's device may have values of other topics: it must be granted", async () => {
    const items = [
      { topic: "UPB/D", payload: { TMP: 1 } },
      { topic: "UPB/D/position", payload: { lat: 44, lon: 26 } },
    ];
    assert.equal((await api(httpUrl, admin, "/api/readings", items)).status, 204);
    const refused = await ask("viewer", "GET", "UPB/D");
    assert.deepEqual([refused.status, (await refused.text()).includes("44")], [404, false]);
    const device = await ask("reader", "GET", "UPB/D");
    assert.deepEqual([device.status, device.headers.get("sluice-value")], [200, "device"]);
    assert.match(await device.text(), /44/);
  });

  await t.step(
    "a stream ends when its account may see no more, though nothing is sent",
    async () => {
      for (
        const [path, change] of [
          ["topics/UPB/%2B", { path: "grant", order: { read: ["out/#"] } }],
          ["live?device=UPB~A&every=60m", { path: "disable", order: {} }],
        ] as const
      ) {
        const name = change.path === "grant" ? "viewer" : "keeper";
        const answer = await fetch(`${httpUrl}/api/${path}`, {
          headers: { authorization: `Bearer ${tokens[name]}`, ...events },
        });
        assert.equal(answer.status, 200);
        const ended = toEnd(answer);
        const { status } = await api(httpUrl, admin, `/api/accounts/${change.path}`, {
          name,
          ...change.order,
        });
        assert.equal(status, 200);
        let over = false;
        ended.then(() => over = true);
        await until(`the stream of ${path} ends`, () => over, 30_000);
        assert.doesNotMatch(await ended, /secret/);
        const again = await fetch(`${httpUrl}/api/${path}`, {
          headers: { authorization: `Bearer ${tokens[name]}`, ...events },
        });
        assert.equal(again.status, 401, "the token is older than the account");
        await again.body?.cancel();
      }
      tokens.viewer = await login(httpUrl, "viewer", passwords.viewer ?? "");
      const now = await ask("viewer", "GET", "UPB/A");
      await now.body?.cancel();
      assert.equal(now.status, 403);
    },
  );
});
