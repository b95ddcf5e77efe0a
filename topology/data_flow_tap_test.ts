import assert from "node:assert/strict";
import { LineWriter } from "../gateways/log/line_writer.ts";
import { dataFlowTap } from "./data_flow_tap.ts";

Deno.test("a message takes its way though the log of the data flow cannot be written", () => {
  const lines = new LineWriter(() => {
    throw new Deno.errors.BrokenPipe("whoever read it is gone");
  });
  dataFlowTap(() => 0, lines).nothing("a/b");
  assert.deepEqual(lines.counters(), { sluice_log_lines_lost_total: 1 });
});
