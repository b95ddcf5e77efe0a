/**
 * Lines of the log that a stranger would like to write: line ends, escape sequences and overrides in
 * everything that a client chooses, in both formats, with all that the log tells at `debug`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connectPacket, publishPacket, RawClient, subscribePacket } from "../support/raw_mqtt.ts";
import { startSluice, until } from "../support/sluice.ts";

const forged = "2026-01-01T00:00:00.000Z INFO    auth: admin logged in from 127.0.0.1";
const forgedJson = '{"time":"2026-01-01T00:00:00.000Z","level":"info","message":"admin logged in"}';
/** Line ends of every kind, a cleared line and screen, and text that runs backwards. */
const ends = [
  "\n",
  "\r",
  "\r\n",
  "\u2028",
  "\u2029",
  "\u0085",
  "\u001b[2K\u001b[1G",
  "\u009b2J",
  "\u202e",
];
/** The second has no controls, so that it may be a client id. */
const evilOf = (line: string): readonly string[] => {
  const all = ends.map((end) => `${end}${line}`).join("");
  return [all, all.replace(/\p{Cc}/gu, "\u2028")];
};
/** What may stand in the log: printable, and spaces. */
const plain = /^[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]*$/u;

for (const format of ["text", "json"] as const) {
  Deno.test(`nothing that a client chooses forges a line of the log in ${format}`, async () => {
    await using sluice = await startSluice({
      config: { log: { format, level: "debug" }, shards: 1 },
    });
    const { mqttPort, httpUrl, process } = sluice;
    for (const [i, text] of evilOf(format === "json" ? forgedJson : forged).entries()) {
      using client = await RawClient.dial(mqttPort, 5);
      await client.send(connectPacket(5, `c${i}${text.slice(0, 250)}`));
      if ((await client.read())?.[3] === 0) {
        await client.send(publishPacket(5, { topic: `a/${text}`, payload: text, packetId: 1 }));
        await client.read();
        await client.send(subscribePacket(5, 2, [`b/${text}/#`]));
        await client.read();
        // A violation, so that the log tells of its end.
        await client.send(publishPacket(5, { topic: "#", payload: text }));
        while (await client.read() !== undefined);
      }
      const percent = encodeURIComponent(text);
      const header = text.replaceAll(/[\r\n\u2028\u2029]/g, " ").replaceAll(/[^\x20-\x7e]/g, "?");
      const requests: readonly (readonly [string, RequestInit])[] = [
        [`/api/devices/${percent}`, {}],
        [`/${percent}`, { headers: { "user-agent": header, "x-forwarded-for": header } }],
        [`/api/readings?device=${percent}`, {}],
        ["/login", { method: "POST", body: new URLSearchParams({ name: text, password: text }) }],
        [`/api/topics/${percent}`, { method: "PUT", body: text }],
        ["/api/readings", {
          method: "POST",
          body: text,
          headers: { "content-type": text.trim().slice(0, 8).replaceAll(/[^a-z]/g, "") || "x/y" },
        }],
        ["/api/readings", {
          method: "POST",
          body: JSON.stringify({ topic: text, payload: { [text]: 1 } }),
          headers: { "content-type": "application/json" },
        }],
      ];
      for (const [path, init] of requests) {
        const answer = await fetch(`${httpUrl}${path}`, init);
        await answer.body?.cancel();
        assert.ok(answer.status < 500, `${path} ${answer.status}`);
      }
    }
    await until("the log tells of the clients", () => process.log.includes("c1"));
    const lines = process.log.split("\n");
    for (const line of lines) {
      assert.match(line, plain);
      assert.ok(!line.startsWith(forged) && !line.startsWith(forgedJson), line);
      if (format === "json" && line.startsWith("{")) assert.ok("level" in JSON.parse(line), line);
    }
    assert.ok(lines.length > 5, process.log);
  });
}
