import assert from "node:assert/strict";
import { metricName, seriesNames } from "./series_key.ts";

Deno.test("measurement and tags of a key", () => {
  assert.deepEqual(seriesNames("m"), { measurement: "m", tags: {} });
  assert.deepEqual(seriesNames("m,a=b,c=d=e,f=,g"), {
    measurement: "m",
    tags: { a: "b", c: "d", f: "" },
  });
  assert.equal(Object.hasOwn(seriesNames("m,__proto__=x").tags, "__proto__"), true);
});

Deno.test("the metric is the field, or the end of the measurement of a field called value", () => {
  const metric = (key: string, field: string) => metricName(seriesNames(key), field);
  assert.equal(metric("bench,device=d", "temperature"), "temperature");
  assert.equal(metric("device,device=d", "value"), "value");
  assert.equal(metric("RPi_1.BAT,location=UPB,station=RPi_1", "value"), "BAT");
  assert.equal(metric("RPi.1.A.B,location=UPB,station=RPi.1", "value"), "A.B");
  assert.equal(metric("x.y.BAT", "value"), "BAT");
  assert.equal(metric("RPi_1.BAT,station=RPi_1", "other"), "other");
});
