import assert from "node:assert/strict";
import { PacketWriter } from "../codec/writer.ts";
import { Message } from "./message.ts";
import { type Forwarded, parsePeerMail, readForwarded, writeForwarded } from "./peer_mail.ts";

const first = { name: "$share/g/a/#", turn: 0 };
const second = { name: "$share/ü/a", turn: 70_000 };
const forwarded: readonly Forwarded[] = [
  { direct: true, shares: [], message: messageOf("a", 0, Infinity) },
  { direct: false, shares: [first, second], message: messageOf("a/ü", 2, 5_000) },
  { direct: true, shares: [], mark: "1.2.3", message: messageOf("a", 2, Infinity) },
  { direct: false, shares: [first], passedOn: true, message: messageOf("a", 1, Infinity) },
];

function messageOf(topic: string, qos: 0 | 1 | 2, expiresMs: number): Message {
  const properties = { userProperties: [["k", "v"], ["k", "w"]], responseTopic: "r" } as const;
  const payload = Uint8Array.of(0, 255);
  return new Message({ topic, payload, qos, retain: qos === 2, properties, expiresMs });
}

function batchOf(): Uint8Array {
  const writer = new PacketWriter();
  for (const one of forwarded) writeForwarded(writer, one);
  return writer.bytes.slice(0, writer.length);
}

const plain = ({ direct, shares, mark, passedOn = false, message }: Forwarded) => ({
  direct,
  shares,
  mark,
  passedOn,
  ...message,
});

Deno.test("messages cross as they are", () => {
  const read = [...readForwarded(batchOf(), assert.fail)];
  assert.deepEqual(read.map(plain), forwarded.map(plain));
});

Deno.test("a batch that was cut off anywhere gives what is whole, and is told", () => {
  const batch = batchOf();
  for (let end = 0; end < batch.length; end++) {
    let malformed = 0;
    const read = [...readForwarded(batch.subarray(0, end), () => malformed++)];
    const whole = read.length;
    assert.ok(whole < forwarded.length);
    assert.deepEqual(read.map(plain), forwarded.slice(0, whole).map(plain));
    if (malformed === 0) assert.ok(end === 0 || whole > 0);
  }
});

Deno.test("mail of the wrong shape is refused", () => {
  const changes = [["a", 1]];
  const interest = { kind: "interest", from: 1, sequence: 1, reset: true, changes, sessions: [7] };
  const queued = { kind: "queued", from: 1, sessions: [7] };
  for (const mail of [interest, queued]) assert.deepEqual(parsePeerMail(mail), mail);
  const wrong: readonly unknown[] = [
    null,
    "interest",
    { ...interest, from: "1" },
    { ...interest, changes: [["a"]] },
    { ...interest, changes: "a" },
    { ...interest, sessions: ["7"] },
    { ...queued, sessions: 7 },
    { kind: "messages", from: 1, batch: "x" },
    { kind: "other", from: 1, sequence: 1 },
  ];
  for (const mail of wrong) assert.throws(() => parsePeerMail(mail), TypeError);
});
