import assert from "node:assert/strict";
import { helpOf } from "./metric_help.ts";

Deno.test("a metric says what it counts, also where its name ends in a reason", () => {
  assert.equal(helpOf("sluice_mqtt_wills_total"), "Wills that were sent.");
  assert.equal(
    helpOf("sluice_mqtt_connections_ended_keep_alive_timeout_total"),
    "MQTT connections ended: keep alive timeout.",
  );
});

Deno.test("a metric that is not told of has its name in words", () => {
  assert.equal(helpOf("sluice_new_things_total"), "New things.");
  assert.equal(helpOf("constructor"), "Constructor.");
});
