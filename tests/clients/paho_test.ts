/**
 * Eclipse Paho's client for Python, over TCP and over WebSocket.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import { assertConserved, settledBooks, startSluice } from "../support/sluice.ts";

const script = new URL("paho_client.py", import.meta.url).pathname;
const library = "paho/mqtt/client.py";

testWith(
  ["python3", library],
  "Paho publishes and hears with every QoS, over TCP and WebSocket",
  async () => {
    await using sluice = await startSluice();
    const ports = { tcp: sluice.mqttPort, websockets: Number(new URL(sluice.httpUrl).port) };
    for (const transport of ["tcp", "websockets"] as const) {
      for (const version of ["3", "5"]) {
        const { success, stdout, stderr } = await new Deno.Command(findProgram("python3"), {
          args: [
            script,
            transport,
            String(ports[transport]),
            version,
            `arrival/${transport}${version}`,
          ],
          env: { PYTHONPATH: findProgram(library).slice(0, -library.length - 1) },
          stdin: "null",
        }).output();
        const decoder = new TextDecoder();
        assert.ok(success, `${transport}, ${version}: ${decoder.decode(stderr)}`);
        const heard = decoder.decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
        assert.deepEqual(heard, [
          { qos: 0, length: 17, end: ": 0}" },
          { qos: 1, length: 60_017, end: ": 1}" },
          { qos: 2, length: 120_017, end: ": 2}" },
        ]);
      }
    }
    const books = await settledBooks(sluice.httpUrl);
    assertConserved(books);
    assert.equal(books.received, 12);
  },
);
