import assert from "node:assert/strict";
import { offerFlags } from "./intake.ts";
import { type Fate, ReadingPath, type Sent } from "./testing/readings.ts";

const arrivalMs = 1_700_000_000_000;
const arrival = "1700000000000000000";

/** Contracts §5, cases for the station route: payload, then measurement=value at time. */
const stationCases: [topic: string, payload: string, lines: string[]][] = [
  [
    "UPB/RPi_1",
    '{"BAT":99,"HUMID":40,"PRJ":"SPRC","TMP":25.3,"status":"OK","timestamp":"2019-11-26T03:54:20+03:00"}',
    [
      "RPi_1.BAT,location=UPB,station=RPi_1 value=99 1574729660000000000",
      "RPi_1.HUMID,location=UPB,station=RPi_1 value=40 1574729660000000000",
      "RPi_1.TMP,location=UPB,station=RPi_1 value=25.3 1574729660000000000",
    ],
  ],
  [
    "Dorinel/Zeus",
    '{"Alarm":0,"AQI":12,"RSSI":1500}',
    ["Alarm value=0", "AQI value=12", "RSSI value=1500"].map((metric) =>
      `Zeus.${metric.replace(" ", ",location=Dorinel,station=Zeus ")} ${arrival}`
    ),
  ],
  [
    "UPB/RPi_1",
    '{"BAT":99,"timestamp":1574729660}',
    ["RPi_1.BAT,location=UPB,station=RPi_1 value=99 1574729660000000000"],
  ],
  [
    "UPB/Zeus",
    '{"temp":27,"timestamp":"2023-01-09T12:00:00+0200"}',
    ["Zeus.temp,location=UPB,station=Zeus value=27 1673258400000000000"],
  ],
];

for (const [topic, payload, lines] of stationCases) {
  Deno.test(`the station route stores ${topic} ${payload}`, () => {
    assert.deepEqual(new ReadingPath().lines(topic, payload, { arrivalMs }), lines);
  });
}

Deno.test("what a sender sends again after hours is known, with new readings before and between", () => {
  const path = new ReadingPath();
  const send = (i: number, dup: boolean, atMs: number) =>
    path.send("UPB/RPi_1", `{"BAT":${i % 10}}`, {
      arrivalMs: atMs,
      packetId: i,
      originHash: 7,
      flags: dup ? 1 | offerFlags.dup : 1,
    }).kind;
  for (let i = 1; i <= 100; i++) assert.equal(send(i, false, arrivalMs + i * 30_000), "points");
  const backMs = arrivalMs + 86_400_000;
  for (let i = 1; i <= 100; i++) {
    assert.equal(send(1_000 + i, false, backMs + i), "points");
    assert.equal(send(i, true, backMs + i), "duplicate", String(i));
  }
});

Deno.test("a dead letter that is tried again makes nobody seen later, or earlier", () => {
  const path = new ReadingPath();
  path.send("UPB/RPi_1", '{"BAT":1}', { arrivalMs });
  path.send("UPB/RPi_1", '{"BAT":1}', { arrivalMs: arrivalMs - 60_000 });
  assert.equal([...path.devices.values()][0]?.lastSeenMs, arrivalMs);
});

Deno.test("a payload without a number is refused, not dead", () => {
  const payload = '{"BAT":true,"X":null,"L":[1,2],"O":{"a":1},"S":"12"}';
  const path = new ReadingPath();
  assert.deepEqual(path.send("UPB/RPi_1", payload), { kind: "refused", reason: "no_fields" });
  const { reason, detail } = path.device("UPB~RPi_1").lastError ?? {};
  assert.equal(reason, "no_fields");
  assert.match(detail ?? "", /finite number/);
});

Deno.test("bad payloads become dead letters, and the next good one is stored", () => {
  const path = new ReadingPath();
  const reasons: [payload: string | Uint8Array, reason: string][] = [
    ["not json", "malformed_json"],
    ["", "empty_payload"],
    ["[1,2]", "not_an_object"],
    ["12", "not_an_object"],
    ['{"BAT":1', "malformed_json"],
    ['{"BAT":NaN}', "malformed_json"],
    ['{"BAT":1}{"BAT":2}', "malformed_json"],
    [Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), "invalid_utf8"],
    [`${'{"a":'.repeat(33)}1${"}".repeat(33)}`, "too_deep"],
    [
      JSON.stringify(Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`f${i}`, i]))),
      "too_many_fields",
    ],
    ['{"":1}', "unwritable_name"],
    ['{"BAT\\\\":1}', "unwritable_name"],
    ['{"BAT":1,"timestamp":"yesterday"}', "timestamp_unreadable"],
    ['{"BAT":1,"timestamp":null}', "timestamp_unreadable"],
    ['{"BAT":1,"timestamp":"2019-11-26T03:54:20"}', "timestamp_unreadable"],
    ['{"BAT":1,"timestamp":"0001-01-01T00:00:00Z"}', "timestamp_out_of_range"],
    ['{"BAT":1,"timestamp":1e300}', "timestamp_out_of_range"],
  ];
  for (const [payload, reason] of reasons) {
    const fate = path.send("UPB/RPi_1", payload);
    assert.equal(fate.kind === "dead" ? fate.reason : fate.kind, reason, String(payload));
    assert.equal(path.lines("UPB/RPi_1", '{"BAT":1}').length, 1);
  }
  const device = path.device("UPB~RPi_1");
  assert.deepEqual([device.accepted, device.deadLettered], [reasons.length, reasons.length]);
  assert.equal(device.lastError?.reason, "timestamp_out_of_range");
});

Deno.test("a timestamp may be written with JSON's escapes, as .NET does with a plus", () => {
  assert.deepEqual(
    new ReadingPath().lines(
      "UPB/Zeus",
      '{"temp":27,"timestamp":"2023-01-09T12:00:00\\u002B02:00"}',
    ),
    ["Zeus.temp,location=UPB,station=Zeus value=27 1673258400000000000"],
  );
});

Deno.test("a dead letter says what stood where a timestamp should be", () => {
  const told = [
    ['"tomorrow"', '"tomorrow" is no time: a number since the epoch, or RFC 3339 with a zone is'],
    ["true", "true is no time"],
    ["null", "(null, an object or an array) is no time"],
    ["1e30", "1e30 is outside of what ns in 64 bits can hold"],
  ] as const;
  for (const [timestamp, detail] of told) {
    const fate = new ReadingPath().send("UPB/Zeus", `{"a":1,"timestamp":${timestamp}}`);
    assert.ok(fate.kind === "dead" && fate.detail.startsWith(`timestamp ${detail}`), timestamp);
  }
});

Deno.test("topics without a route, and what is no topic, are refused", () => {
  const path = new ReadingPath();
  const reasons: [topic: string, reason: string][] = [
    ["UPB", "no_route"],
    ["UPB/RPi_1/x", "no_route"],
    ["/RPi_1", "no_route"],
    ["UPB/", "no_route"],
    ["$SYS/x", "no_route"],
    ["UPB/RPi\n1", "invalid_topic"],
    ["UPB/RPi\0", "invalid_topic"],
    ["UPB/+", "invalid_topic"],
    ["", "invalid_topic"],
  ];
  for (const [topic, reason] of reasons) {
    assert.deepEqual(path.send(topic, '{"BAT":1}'), { kind: "refused", reason }, topic);
  }
});

Deno.test("values that are no finite number are left out", () => {
  assert.deepEqual(
    new ReadingPath().lines("a/b", '{"big":1e400,"T":-0.5e1,"__proto__":7,"x":1,"x":"gone"}'),
    [
      `b.T,location=a,station=b value=-0.5e1 ${arrival}`,
      `b.__proto__,location=a,station=b value=7 ${arrival}`,
    ],
  );
});

Deno.test("arrival times of a device are strictly increasing", () => {
  const path = new ReadingPath();
  const time = (arrivalMs: number) =>
    path.lines("a/b", '{"x":1}', { arrivalMs })[0]?.split(" ").at(-1);
  assert.deepEqual([1e12, 1e12, 1e12 - 5, 1e12 + 0.25, 1e12 + 1].map(time), [
    "1000000000000000000",
    "1000000000000000001",
    "1000000000000000002",
    "1000000000000250000",
    "1000000000001000000",
  ]);
});

Deno.test("no time of arrival is given twice though the clock is set back before a restart", () => {
  const path = new ReadingPath();
  path.device("UPB~RPi_1").recovered(1, 2, arrivalMs, arrivalMs - 3_600_000);
  const [line] = path.lines("UPB/RPi_1", '{"BAT":1}', { arrivalMs: arrivalMs - 3_600_000 });
  assert.ok(BigInt(line!.split(" ")[2]!) > BigInt(arrival));
  assert.equal(path.device("UPB~RPi_1").lastSeenMs, arrivalMs - 3_600_000);
});

Deno.test("what is found in the spool once more pushes nothing out that is remembered", () => {
  const device = new ReadingPath().device("UPB~RPi_1");
  const hourMs = 3_600_000;
  for (let lo = 1; lo <= 256; lo++) device.remember(1, lo, arrivalMs + lo * hourMs);
  for (let lo = 157; lo <= 256; lo++) device.recovered(1, lo, arrivalMs + lo * hourMs);
  for (let lo = 1; lo <= 256; lo++) assert.ok(device.window?.has(1, lo), String(lo));
});

Deno.test("a reading with a time or a sequence of its own is stored once", () => {
  const path = new ReadingPath([{
    name: "counted",
    topic: "counted/{id}",
    measurement: "m",
    sequence: "seq",
  }], { gatewayTag: false });
  for (const [topic, field] of [["a/b", "timestamp"], ["counted/b", "seq"]] as const) {
    const payload = (n: number, x = 1) => `{"x":${x},"${field}":${1_574_729_660 + n}}`;
    const kinds = [payload(1), payload(2), payload(1), payload(2), payload(2, 3), payload(0)]
      .map((text) => path.send(topic, text).kind);
    assert.deepEqual(kinds, ["points", "points", "duplicate", "duplicate", "points", "points"]);
  }
});

Deno.test("a reading without is a duplicate only with DUP and its packet id", () => {
  const path = new ReadingPath();
  const dup = offerFlags.dup | 1;
  const sent: [sent: Sent, kind: Fate["kind"]][] = [
    [{ packetId: 1, originHash: 9, flags: 1 }, "points"],
    [{ packetId: 1, originHash: 9, flags: 1 }, "points"],
    [{ packetId: 1, originHash: 9, flags: dup }, "duplicate"],
    [{ packetId: 1, originHash: 8, flags: dup }, "points"],
    [{ packetId: 2, originHash: 9, flags: dup }, "points"],
    [{}, "points"],
    [{}, "points"],
  ];
  for (const [how, kind] of sent) {
    assert.equal(path.send("a/b", '{"x":1}', how).kind, kind, JSON.stringify(how));
  }
});

Deno.test("the device route wants the payload to name its device", () => {
  const path = new ReadingPath();
  const line = `device,device=u1,gateway=gw1 value=3,rssi=-70 ${arrival}`;
  assert.deepEqual(path.lines("device/u1", '{"uuid":"u1","value":3,"rssi":-70}'), [line]);
  assert.deepEqual(
    path.lines("device/u1", '{"value":3,"rssi":-70,"uuid":"\\u0075\\u0031"}'),
    [line.replace(/0$/, "1")],
  );
  for (const payload of ['{"uuid":"u2","value":3}', '{"value":3}', '{"uuid":null,"value":3}']) {
    const fate = path.send("device/u1", payload);
    assert.equal(fate.kind === "dead" && fate.reason, "identity_mismatch");
  }
  assert.match(path.device("u1").lastError?.detail ?? "", /names the device \(null, /);
  path.send("device/u1", '{"value":3}');
  assert.equal(
    path.device("u1").lastError?.detail,
    'the payload has no "uuid"; its topic wants it to be "u1"',
  );
});

Deno.test("the weather route never stores the token", () => {
  assert.deepEqual(
    new ReadingPath().lines(
      "$weather/Roof",
      '{"name":"Roof","temperature":21.5,"timestamp":1574729660,"token":123}',
    ),
    ["weather,station=Roof temperature=21.5 1574729660000000000"],
  );
});

Deno.test("the position route takes plain objects and GeoJSON", () => {
  const path = new ReadingPath();
  assert.deepEqual(
    path.lines("bus/7/position", '{"lat":44.4,"lon":26.1,"speed":12,"heading":90}'),
    [
      `position,fleet=bus,vehicle=7 lat=44.4,lon=26.1,speed=12,heading=90 ${arrival}`,
    ],
  );
  const feature = {
    type: "Feature",
    geometry: { type: "Point", coordinates: [26.1, 44.4] },
    properties: { speed: 12, timestamp: "2019-11-26T00:54:20Z" },
  };
  assert.deepEqual(path.lines("bus/7/position", JSON.stringify(feature)), [
    "position,fleet=bus,vehicle=7 lon=26.1,lat=44.4,speed=12 1574729660000000000",
  ]);
});

Deno.test("names are escaped", () => {
  assert.deepEqual(new ReadingPath().lines("a b/c,d=e", '{"f g,h=i\\nj":1}'), [
    `c\\,d=e.f\\ g\\,h=i\\nj,location=a\\ b,station=c\\,d\\=e value=1 ${arrival}`,
  ]);
  const fate = new ReadingPath().send("a/b\\", '{"x":1}');
  assert.equal(fate.kind === "dead" && fate.reason, "unwritable_name");
});

Deno.test("the last values of a device are kept, the newest by its own time", () => {
  const path = new ReadingPath();
  path.send("a/b", '{"x":1,"y":2}');
  path.send("a/b", '{"z":5,"x":3}');
  path.send("a/b", '{"y":9,"timestamp":1574729660}');
  const { values } = path.device("a~b");
  const all = Array.from({ length: values.count }, (_, i) => [values.name(i), values.value(i)]);
  assert.deepEqual(all, [["x", 3], ["y", 2], ["z", 5]]);
});
