/** Quotas of subscribers, as clients meet them. */
import assert from "node:assert/strict";
import { connectAsync, type MqttClient } from "mqtt";
import {
  addAccount,
  adminPassword,
  api,
  connect,
  ending,
  login,
  refusal,
} from "../support/accounts.ts";
import { RawWebSocket } from "../support/raw_websocket.ts";
import { runSluice } from "../support/run.ts";
import { metrics, startSluice, until } from "../support/sluice.ts";

Deno.test("subscriptions and retained messages beyond a quota are refused by name, and counted", async () => {
  await using sluice = await startSluice({
    config: {
      shards: 2,
      limits: { subscribers: { subscriptionsPerSessionMax: 3, retainedMax: 2 } },
    },
  });
  const client = await connectAsync(sluice.mqttUrl, { protocolVersion: 5, reconnectPeriod: 0 });
  const ask = (topic: string) => client.subscribeAsync(topic, { qos: 1 });
  for (const topic of ["a/#", "b", "c"]) assert.equal((await ask(topic))[0]?.qos, 1);
  await assert.rejects(ask("d"), /Quota exceeded/i);
  assert.equal((await ask("b"))[0]?.qos, 1, "one that is there is only changed");
  await client.unsubscribeAsync("c");
  assert.equal((await ask("d"))[0]?.qos, 1);

  const heard: string[] = [];
  client.on("message", (topic) => heard.push(topic));
  for (const i of [1, 2, 3]) {
    await client.publishAsync(`a/r/${i}`, "kept?", { qos: 1, retain: true });
  }
  await until("all are delivered", () => heard.length === 3);
  const sum = await metrics(sluice.httpUrl);
  assert.equal(sum("sluice_pubsub_subscriptions_refused_total"), 1);
  assert.equal(sum("sluice_retained_messages"), 2);
  assert.equal(sum("sluice_pubsub_retained_refused_total"), 1);
  await client.endAsync();
  await new Promise<void>((resolve) => setTimeout(resolve));
});

Deno.test("an account has so many sessions, subscriptions and retained messages, over all shards; others have theirs; a ban ends all", async () => {
  await using sluice = await startSluice({
    config: {
      shards: 2,
      auth: { required: true },
      limits: { accounts: { sessionsMax: 3, subscriptionsMax: 4, retainedMax: 2 } },
    },
  });
  const { httpUrl, mqttPort } = sluice;
  const admin = await login(httpUrl, "admin", await adminPassword(sluice));
  const password = new Map<string, string>();
  for (const name of ["x", "y"]) {
    const account = { name, kind: "service", read: ["#"], write: ["#"] };
    password.set(name, await addAccount(httpUrl, admin, account));
  }
  const dial = (name: string, clientId: string) =>
    connect(mqttPort, name, password.get(name), { clientId });
  const clients = await Promise.all(["a", "b", "c"].map((id) => dial("x", id)));
  assert.equal(await refusal(dial("x", "d")), 0x97);
  const other = await dial("y", "d");

  for (const [i, client] of clients.entries()) await client.subscribeAsync(`t/${i}`);
  await clients[0]!.subscribeAsync("t/3");
  await assert.rejects(clients[1]!.subscribeAsync("t/4"), /Quota exceeded/i);
  await other.subscribeAsync("t/4");

  const retain = (client: MqttClient, topic: string, qos: 0 | 1 = 1) =>
    client.publishAsync(topic, "kept?", { qos, retain: true });
  const token = await login(httpUrl, "x", password.get("x") ?? "");
  const put = async (topic: string) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "text/plain" };
    const url = `${httpUrl}/api/topics/${topic}?reading=false`;
    const answer = await fetch(url, { method: "PUT", headers, body: "kept?" });
    return { status: answer.status, text: await answer.text() };
  };
  await retain(clients[0]!, "r/kept/1");
  assert.equal((await put("r/kept/2")).status, 204);
  for (const client of clients) await assert.rejects(retain(client, "r/kept/3"), /Quota exceeded/i);
  const refused = await put("r/kept/3");
  assert.equal(refused.status, 403);
  assert.match(refused.text, /urn:sluice:problem:quota-exceeded/);
  await retain(clients[1]!, "r/kept/3", 0);
  for (const client of clients) await retain(client, "r/kept/1");
  await retain(other, "r/kept/3");
  assert.equal((await put("r/kept/2")).status, 204);
  await clients[0]!.publishAsync("r/kept/2", "", { qos: 1, retain: true });
  await retain(clients[2]!, "r/kept/4");
  const kept = await metrics(httpUrl);
  assert.equal(kept("sluice_retained_messages"), 3);
  await until("the one of QoS 0 is counted", async () => {
    const sum = await metrics(httpUrl);
    return sum("sluice_pubsub_retained_over_quota_total") === 5;
  });

  // The same client again takes over its own place, and with it end its subscriptions.
  const again = await dial("x", "a");
  await until(
    "there is room",
    () => clients[1]!.subscribeAsync("t/4").then(() => true, () => false),
  );
  await clients[2]!.endAsync();
  await until("a place is free", async () => {
    const late = await dial("x", "e").catch(() => undefined);
    await late?.endAsync();
    return late !== undefined;
  });
  // A session that is kept has a place, whether its client is there or not.
  const lasting = (clientId: string, sessionExpiryInterval: number) =>
    connect(mqttPort, "x", password.get("x"), {
      clientId,
      clean: false,
      properties: { sessionExpiryInterval },
    });
  const endOf = async (client: MqttClient) => {
    await client.endAsync();
    return "ended";
  };
  await until(
    "a place is free",
    () => lasting("k", 600).then(endOf, () => undefined).then(Boolean),
  );
  assert.equal(await refusal(dial("x", "f")), 0x97);
  assert.equal(await refusal(lasting("f", 600)), 0x97);
  await endOf(await lasting("k", 600));
  await endOf(await dial("x", "k"));
  await until("a place is free", () => dial("x", "f").then(endOf, () => undefined).then(Boolean));
  // Limits of its own take the place of the option's, in sessions that are open, too.
  const limit = async (limits: unknown) => {
    const headers = { authorization: `Bearer ${admin}`, "content-type": "application/json" };
    const body = JSON.stringify({ limits });
    const answer = await fetch(`${httpUrl}/api/accounts/x`, { method: "PATCH", headers, body });
    await answer.body?.cancel();
    assert.equal(answer.status, 200);
  };
  await limit({ sessionsMax: 2, subscriptionsMax: 1, messages: "2:3600" });
  await until("it is held to fewer", () => refusal(dial("x", "f")).then(() => true, () => false));
  await assert.rejects(clients[1]!.subscribeAsync("t/9"), /Quota exceeded/i);
  const sent = ["n/o/1", "n/o/2", "n/o/3"].map((topic) =>
    again.publishAsync(topic, "1", { qos: 1 })
  );
  await until("two were taken, and the third waits", async () => {
    const sum = await metrics(httpUrl);
    return sum("sluice_rate_limited_total", 'subject="account"') > 0;
  });
  await Promise.all(sent.slice(0, 2));
  const { code, stderr } = await runSluice(
    ["account", "limit", "x", "--rate", "default", "--sessions", "4", "--retained", "3"],
    { SLUICE_DATA_DIR: sluice.dataDir },
  );
  assert.equal(code, 0, stderr);
  await Promise.all(sent);
  await dial("x", "g").then(endOf);
  assert.equal((await put("r/kept/9")).status, 204);

  // A ban of the account ends its sessions and its stations, and keeps new ones out.
  const port = Number(new URL(httpUrl).port);
  const authorization = `Bearer ${token}`;
  using open = await RawWebSocket.open(port, "/ws", { authorization });
  await open.heard(/welcome/);
  const ends = [again, clients[1]!].map(ending);
  const { status } = await api(httpUrl, admin, "/api/bans", { account: "x", forS: 600 });
  assert.equal(status, 201);
  for (const { code } of await Promise.all(ends)) assert.equal(code, 0x98);
  await open.heard(/^..banned until/s);
  assert.equal(await refusal(dial("x", "i")), 0x8a);
  using late = await RawWebSocket.open(port, "/ws", { authorization });
  assert.match(late.head, /^HTTP\/1.1 403 /);
  using bare = await RawWebSocket.open(port, "/ws");
  await bare.send({ opcode: 1, payload: JSON.stringify({ type: "hello", token }) });
  await bare.heard(/"type":"banned"/);
  await dial("y", "h").then(endOf);

  const sum = await metrics(httpUrl);
  assert.ok(sum("sluice_connections_refused_total", 'reason="account_max"') >= 1);
  for (const client of [...clients, again, other]) await client.endAsync(true);
  await new Promise<void>((resolve) => setTimeout(resolve));
});
