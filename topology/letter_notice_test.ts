import assert from "node:assert/strict";
import { startLog } from "../gateways/log/log.ts";
import { ManualClock } from "../runtime/clock.ts";
import { letterNotice } from "./letter_notice.ts";

Deno.test("the first dead letter is told at once, later ones together after a minute", () => {
  const clock = new ManualClock();
  const out: string[] = [];
  const log = startLog({ level: "info", format: "text", clock, write: (line) => out.push(line) });
  const notice = letterNotice(clock);
  const letter = (topic: string) => ({
    topic,
    payload: new Uint8Array(0),
    arrivalMs: 0,
    transport: "mqtt",
    reason: "malformed_json",
    detail: "",
  });
  for (const topic of ["a/b", "a/c", "a/d"]) notice(letter(topic));
  clock.advance(60_000);
  for (const topic of ["a/e", "a/f"]) notice(letter(topic));
  log.close();
  assert.equal(out.length, 2);
  assert.match(out[0] ?? "", /WARNING .* letters=1 topic=a\/b reason=malformed_json\n$/);
  assert.match(out[1] ?? "", / letters=3 topic=a\/e /);
});
