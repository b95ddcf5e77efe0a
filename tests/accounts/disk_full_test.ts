/**
 * Accounts while the disk is full.
 *
 * @module
 */
import assert from "node:assert/strict";
import { addAccount, adminPassword, api, connect, ending, login } from "../support/accounts.ts";
import { startSluice } from "../support/sluice.ts";
import { fillDisk, mountTmpfs, noTmpfs } from "../support/tmpfs.ts";

const mib = 1024 * 1024;
const administrative = 0x98;

Deno.test({
  name:
    "on a full disk accounts stay as they are, who is known comes in, and changes are refused " +
    `in words until there is room${noTmpfs === undefined ? "" : ` (skipped: ${noTmpfs})`}`,
  ignore: noTmpfs !== undefined,
  fn: async () => {
    await using disk = await mountTmpfs(8 * mib);
    await using sluice = await startSluice({
      dataDir: `${disk.path}/data`,
      config: { auth: { required: true }, shards: 1 },
    });
    const { httpUrl, mqttPort } = sluice;
    const admin = await login(httpUrl, "admin", await adminPassword(sluice));
    const password = await addAccount(httpUrl, admin, { name: "UPB/A", kind: "device" });
    await addAccount(httpUrl, admin, { name: "UPB/C", kind: "device" });
    const session = await connect(mqttPort, "UPB/A", password);

    fillDisk(disk);
    const changes = [
      ["/api/accounts", { name: "UPB/B", kind: "device" }],
      ["/api/accounts/grant", { name: "UPB/A", write: ["x/#"] }],
      ["/api/accounts/rotate", { name: "UPB/A" }],
      ["/api/accounts/disable", { name: "UPB/A" }],
    ] as const;
    // What little room the file has of its own may take a few: they cost no password's hash.
    for (let i = 0, status = 200; status !== 503; i++) {
      assert.ok(status === 200 && i < 1_000, `${i}: ${status}`);
      const grant = { name: "UPB/C", write: [`x/${i}`] };
      ({ status } = await api(httpUrl, admin, "/api/accounts/grant", grant));
    }
    const audit = async () => JSON.stringify(await api(httpUrl, admin, "/api/audit?limit=1"));
    const before = await audit();
    for (const [path, order] of changes) {
      const { status, body } = await api(httpUrl, admin, path, order);
      assert.deepEqual([status, body["type"]], [503, "urn:sluice:problem:unavailable"], path);
      assert.match(String(body["detail"]), /full/);
    }
    assert.equal(await audit(), before);
    await login(httpUrl, "UPB/A", password);
    assert.equal(session.connected, true);

    const ended = ending(session);
    disk.resize(32 * mib);
    const { status, body } = await api(httpUrl, admin, "/api/accounts/disable", { name: "UPB/A" });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal((await ended).code, administrative);
  },
});
