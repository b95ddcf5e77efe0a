/**
 * Kept sessions follow their accounts: whoever changed these, and whether the client was there.
 *
 * @module
 */
import assert from "node:assert/strict";
import { addAccount, adminPassword, api, connect, login } from "../support/accounts.ts";
import { runSluice } from "../support/run.ts";
import { metrics, startSluice, until } from "../support/sluice.ts";

const kept = { clean: false, properties: { sessionExpiryInterval: 600 } } as const;

Deno.test("kept sessions end with their account, and keep no subscription it may not have", async () => {
  await using sluice = await startSluice({ config: { auth: { required: true }, shards: 2 } });
  const { httpUrl, mqttPort, dataDir } = sluice;
  const secret = await adminPassword(sluice);
  const admin = await login(httpUrl, "admin", secret);
  const passwords = new Map<string, string>();
  for (const name of ["disabled", "deleted", "less", "while_down"]) {
    const account = { name, kind: "service", read: [`news/${name}`, "shared/#"] };
    const password = await addAccount(httpUrl, admin, account);
    passwords.set(name, password);
    const client = await connect(mqttPort, name, password, { ...kept, clientId: "c" });
    await client.subscribeAsync([`news/${name}`, "shared/x"], { qos: 1 });
    await client.endAsync();
  }
  const publisher = await connect(mqttPort, "admin", secret, { clientId: "publisher" });
  const publish = (topic: string) => publisher.publishAsync(topic, '{"n":1}', { qos: 1 });
  const are = async (what: string, sessions: number, subscriptions: number, queued: number) => {
    const wanted = [sessions, subscriptions, queued];
    let last: number[] = [];
    await until(what, async () => {
      const sum = await metrics(httpUrl);
      last = ["sessions_kept", "pubsub_subscriptions", "sessions_queued_messages"]
        .map((name) => sum(`sluice_${name}`));
      return last.join() === wanted.join();
    }).catch((cause) => {
      throw new Error(`${what}: ${last} instead of ${wanted}`, { cause });
    });
  };
  for (const name of passwords.keys()) await publish(`news/${name}`);
  await are("all wait", 4, 8, 4);

  assert.equal(
    (await api(httpUrl, admin, "/api/accounts/disable", { name: "disabled" })).status,
    200,
  );
  await are("the disabled account's session is over", 3, 6, 3);
  const answer = await fetch(`${httpUrl}/api/accounts?name=deleted`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${admin}` },
  });
  assert.equal(answer.status, 204);
  await are("the deleted account's session is over", 2, 4, 2);
  const grant = { name: "less", read: ["shared/#"] };
  assert.equal((await api(httpUrl, admin, "/api/accounts/grant", grant)).status, 200);
  await are("one subscription is taken back", 2, 3, 2);
  await publish("news/less");
  await publish("shared/x");
  await are("what may still be read waits", 2, 3, 4);

  // Let in again, it begins anew; what the other may not read any more is not sent.
  assert.equal(
    (await api(httpUrl, admin, "/api/accounts/enable", { name: "disabled" })).status,
    200,
  );
  for (const name of ["disabled", "less"]) {
    const client = await connect(mqttPort, name, passwords.get(name), { ...kept, clientId: "c" });
    if (name === "less") await are("all that may be read was sent", 3, 3, 2);
    await client.endAsync();
  }
  assert.equal((await metrics(httpUrl))("sluice_pubsub_lost_denied_total"), 1);
  await publisher.endAsync();

  // Deleted while nobody was there to see it.
  await sluice.process.stop();
  const { code } = await runSluice(["account", "delete", "while_down"], {
    SLUICE_DATA_DIR: dataDir,
  });
  assert.equal(code, 0);
  await sluice.process.restart();
  await are("what happened meanwhile is found out", 2, 1, 0);
});
