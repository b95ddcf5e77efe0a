/**
 * The accounts' database with psql, as who runs it would look into it: docs/auth.md names the
 * columns, and says what a change by SQL does.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import { startPostgres } from "../../gateways/testing/servers.ts";
import {
  addAccount,
  adminPassword,
  api,
  connect,
  ending,
  login,
  refusal,
} from "../support/accounts.ts";
import { metrics, startSluice, until } from "../support/sluice.ts";

/** What psql prints: rows of columns with `|` between. */
async function psql(url: string, sql: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(findProgram("psql"), {
    args: ["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-At", "-d", url, "-c", sql],
    stdin: "null",
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trimEnd();
}

testWith(
  ["postgres", "initdb", "pg_isready", "setpriv", "psql"],
  "psql reads the accounts; what it changes takes hold as any other change",
  async () => {
    await using database = await startPostgres();
    const url = `postgres://postgres@127.0.0.1:${database.port}/postgres`;
    const config = { auth: { required: true }, postgres: { url }, shards: 1 };
    await using sluice = await startSluice({ config });
    const { httpUrl, mqttPort } = sluice;
    const admin = await login(httpUrl, "admin", await adminPassword(sluice));
    const password = await addAccount(httpUrl, admin, {
      name: "UPB/A",
      kind: "device",
      write: ["log/{name}"],
    });

    // The columns that are documented are those that are there.
    const docs = await Deno.readTextFile(new URL("../../docs/auth.md", import.meta.url));
    for (const table of ["sluice_accounts", "sluice_audit", "sluice_instances"]) {
      const columns = await psql(
        url,
        `SELECT string_agg(column_name, ', ' ORDER BY ordinal_position)
         FROM information_schema.columns WHERE table_name = '${table}'`,
      );
      assert.ok(docs.includes(`| \`${table}\` `), table);
      for (const column of columns.split(", ")) assert.ok(docs.includes(`\`${column}\``), column);
    }
    const row = "SELECT name, kind, disabled, version, grants->'write'->>0 FROM sluice_accounts";
    assert.equal(
      await psql(url, `${row} ORDER BY name`),
      "UPB/A|device|0|1|log/{name}\nadmin|person|0|1|",
    );
    assert.match(
      await psql(url, "SELECT password_hash FROM sluice_accounts WHERE name = 'UPB/A'"),
      /^\$scrypt\$ln=14,r=8,p=5\$/,
    );

    const token = await login(httpUrl, "UPB/A", password);
    const clients = await Promise.all(
      [password, token].map((secret, i) =>
        connect(mqttPort, "UPB/A", secret, { clientId: `c${i}` })
      ),
    );
    const ends = clients.map(ending);
    const away = { clientId: "away", clean: false, properties: { sessionExpiryInterval: 600 } };
    await (await connect(mqttPort, "UPB/A", password, away)).endAsync();
    const kept = async () => (await metrics(httpUrl))("sluice_sessions_kept");
    assert.equal(await kept(), 1);
    await psql(url, "UPDATE sluice_accounts SET disabled = 1 WHERE name = 'UPB/A'");
    for (const { code } of await Promise.all(ends)) assert.equal(code, 0x98);
    await until("its kept session is over", async () => await kept() === 0);
    assert.equal(await refusal(connect(mqttPort, "UPB/A", password)), 0x86);
    assert.equal(await refusal(connect(mqttPort, "UPB/A", token)), 0x87);
    await psql(url, "UPDATE sluice_accounts SET disabled = 0 WHERE name = 'UPB/A'");
    const back = await connect(mqttPort, "UPB/A", password);
    const end = ending(back);
    // Deleted and made again in one go, with the same secret: what was issued before is worthless.
    await psql(
      url,
      `CREATE TEMP TABLE kept AS SELECT * FROM sluice_accounts WHERE name = 'UPB/A';
       DELETE FROM sluice_accounts WHERE name = 'UPB/A';
       INSERT INTO sluice_accounts SELECT * FROM kept;`,
    );
    assert.equal((await end).code, 0x98);
    assert.equal(await refusal(connect(mqttPort, "UPB/A", token)), 0x87);
    await (await connect(mqttPort, "UPB/A", password)).endAsync();
    const { body } = await api(httpUrl, admin, "/api/audit?limit=4");
    assert.ok(Array.isArray(body.items));
    assert.deepEqual(
      body.items.map(({ actor, action, target, version }) => [actor, action, target, version]),
      [["add", 5], ["delete", 4], ["enable", 3], ["disable", 2]].map((
        [action, version],
      ) => ["sql:postgres", action, "UPB/A", version]),
    );

    // Limits end no session, and hold for those that are open.
    const open = await connect(mqttPort, "UPB/A", password, { clientId: "open" });
    const set = `UPDATE sluice_accounts SET limits = '{"sessionsMax": 1}' WHERE name = 'UPB/A'`;
    await psql(url, set);
    await until(
      "no other one is let in",
      () =>
        refusal(connect(mqttPort, "UPB/A", password)).then((code) => code === 0x97, () => false),
    );
    assert.ok(open.connected);
    const [last] = [(await api(httpUrl, admin, "/api/audit?limit=1")).body.items].flat();
    assert.match(JSON.stringify(last), /"sql:postgres","action":"limit".*"version":5/);
    await open.endAsync();

    // What would make an account unreadable is refused by the database.
    const bad: readonly (readonly [string, RegExp])[] = [
      ["SET disabled = 7", /check constraint/],
      ["SET kind = 'robot'", /check constraint/],
      ["SET grants = '{}'", /check constraint/],
      [`SET limits = '{"messages": "20/s"}'`, /check constraint/],
      ["SET name = 'UPB/B'", /keeps its name/],
    ];
    for (const [set, why] of bad) {
      await assert.rejects(psql(url, `UPDATE sluice_accounts ${set} WHERE name = 'UPB/A'`), why);
    }

    // The database restarts, and so does the service: tables are made once.
    const migrations = "SELECT count(*), max(version) FROM sluice_migrations";
    const had = await psql(url, migrations);
    await database.stop();
    await database.restart();
    await until("the accounts are back", async () => {
      return (await api(httpUrl, admin, "/api/accounts?name=UPB%2FA")).status === 200;
    });
    await sluice.process.stop();
    await sluice.process.restart();
    await (await connect(mqttPort, "UPB/A", password)).endAsync();
    assert.equal(await psql(url, migrations), had);
  },
);
