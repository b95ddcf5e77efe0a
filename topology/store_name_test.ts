import assert from "node:assert/strict";
import { parseConfig } from "../config.ts";
import { elsewhereDetail, storeName } from "./store_name.ts";

Deno.test("a store is named without its credentials", async () => {
  const url = "http://writer:hunter2@influx:8086/?token=hunter2";
  const { config } = await parseConfig({ influx: { url, bucket: "b" } });
  assert.equal(storeName(config), "http://writer:***@influx:8086/?token=***, bucket b");
  assert.match(
    elsewhereDetail(url),
    /writes to http:\/\/writer:\*\*\*@influx:8086\/\?token=\*\*\*:/,
  );
});

Deno.test("the embedded store is named by its file", async () => {
  assert.equal(storeName((await parseConfig({ dataDir: "/d" })).config), "embedded, /d/store.db");
});
