/**
 * Eclipse Paho's client for Python, over TCP and over WebSocket.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testWith } from "../../gateways/testing/programs.ts";
import { pahoNeeds, runPaho } from "../support/paho.ts";
import { assertConserved, settledBooks, startSluice } from "../support/sluice.ts";

testWith(
  pahoNeeds,
  "Paho publishes and hears with every QoS, over TCP and WebSocket",
  async () => {
    await using sluice = await startSluice();
    const ports = { tcp: sluice.mqttPort, websockets: Number(new URL(sluice.httpUrl).port) };
    for (const transport of ["tcp", "websockets"] as const) {
      for (const version of ["3", "5"] as const) {
        await runPaho(transport, ports[transport], version, `arrival/${transport}${version}`);
      }
    }
    const books = await settledBooks(sluice.httpUrl);
    assertConserved(books);
    assert.equal(books.received, 12);
  },
);
