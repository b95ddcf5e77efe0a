/**
 * What is sent to `/ws` and `/mqtt` by who means no good and has not logged in. Each is refused for
 * what it announces, or not read; memory is bounded, and nobody else notices.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type ClientFrame, clientFrame } from "../../gateways/websocket/testing/client_frames.ts";
import { frameBytesMax, strangerBytesMax } from "../../gateways/websocket/station_frame.ts";
import { adminPassword, login } from "../support/accounts.ts";
import { RawWebSocket } from "../support/raw_websocket.ts";
import { metrics, type Sluice, startSluice, until } from "../support/sluice.ts";

const mib = 1024 * 1024;
const mqtt = { "sec-websocket-protocol": "mqtt" };
const [continuation, text, binary, ping] = [0, 1, 2, 9] as const;

/** What topology/limits.ts makes of the default budget. */
const roomBytes = 8 * mib;
/** MQTT's CONNECT, of 3.1.1, without a name. */
const connect = Uint8Array.fromHex("100c00044d5154540402003c0000");

Deno.test("attacks on WebSockets before a login cost little, and nobody notices", async (t) => {
  await using sluice: Sluice = await startSluice({
    config: { shards: 1, auth: { required: true } },
  });
  const { httpUrl, process: { port } } = sluice;
  const before = await sluice.process.residentBytes();
  const bounded = async (mibMax: number): Promise<void> => {
    const grown = await sluice.process.residentBytes() - before;
    assert.ok(grown < mibMax * mib, `${Math.round(grown / mib)} MiB more`);
  };
  const ended = async (path: string, ...frames: (ClientFrame | Uint8Array)[]) => {
    using socket = await RawWebSocket.open(port, path, path === "/mqtt" ? mqtt : {});
    assert.match(socket.head, /^HTTP\/1\.1 101 /);
    await socket.send(...frames);
    return await socket.closed();
  };

  const everywhere: Readonly<Record<string, readonly [ClientFrame | Uint8Array, number]>> = {
    "a frame of 2^63 - 1 bytes": [new Uint8Array([0x82, 0xff, 0x7f, ...Array(7).fill(255)]), 1009],
    "a length with the highest bit": [new Uint8Array([0x82, 0xff, ...Array(8).fill(255)]), 1002],
    "a frame without a mask": [{ opcode: binary, payload: "x", unmasked: true }, 1002],
    "a compressed frame": [{ opcode: binary, payload: "x", reserved: 0x40 }, 1002],
    "an opcode that is none": [{ opcode: 3 }, 1002],
    "a ping of 256 bytes": [{ opcode: ping, announcedBytes: 256 }, 1002],
    "a continuation of nothing": [{ opcode: continuation, payload: "x" }, 1002],
  };
  for (const [name, [frame, code]] of Object.entries(everywhere)) {
    await t.step(name, async () => {
      assert.deepEqual([await ended("/ws", frame), await ended("/mqtt", frame)], [code, code]);
    });
  }

  await t.step("frames, in one piece or many, are refused by what they announce", async () => {
    const announced = { opcode: text, announcedBytes: 64_000_000 };
    assert.equal(await ended("/ws", clientFrame(announced).subarray(0, 10)), 1009);
    assert.equal(await ended("/ws", { opcode: text, announcedBytes: strangerBytesMax + 1 }), 1009);
    assert.equal(await ended("/ws", { opcode: text, payload: new Uint8Array([255]) }), 1007);
    assert.equal(await ended("/ws", { opcode: binary, payload: "x" }), 1003);
    const endless = Array.from({ length: 200 }, (_, i) => ({
      opcode: i === 0 ? text : continuation,
      final: false,
      payload: "x".repeat(1_000),
    }));
    assert.equal(await ended("/ws", ...endless), 1009);
  });

  await t.step("64 MB to a session of MQTT's are not gathered on the way", async () => {
    using socket = await RawWebSocket.open(port, "/mqtt", mqtt);
    const head = clientFrame({ opcode: binary, announcedBytes: 64_000_000, mask: [0, 0, 0, 0] });
    await socket.send(head, connect);
    await socket.flood(new Uint8Array(64 * 1024), 64_000_000);
    await bounded(100);
    await socket.closed();
  });

  await t.step("compression that is offered is not taken up", async () => {
    const offer = { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits" };
    for (const path of ["/ws", "/mqtt"]) {
      using socket = await RawWebSocket.open(port, path, { ...mqtt, ...offer });
      assert.doesNotMatch(socket.head, /extensions|deflate/i);
    }
  });

  await t.step("who floods with pings and reads no pong is read no more", async () => {
    const pings = new Uint8Array(
      Array.from(
        { length: 500 },
        () => [...clientFrame({ opcode: ping, payload: "x".repeat(125) })],
      )
        .flat(),
    );
    using socket = await RawWebSocket.open(port, "/ws");
    const taken = await socket.flood(pings, 64 * mib);
    assert.ok(taken < 48 * mib, `${taken} bytes`);
    await bounded(100);
  });

  await t.step("400 that send a large frame and never end it share one room", async () => {
    const sockets: RawWebSocket[] = [];
    const authorization = `Bearer ${await login(httpUrl, "admin", await adminPassword(sluice))}`;
    try {
      for (let i = 0; i < 400; i++) {
        const socket = await RawWebSocket.open(port, "/ws", i % 2 === 0 ? { authorization } : {});
        sockets.push(socket);
        const length = i % 2 === 0 ? frameBytesMax : strangerBytesMax;
        const frame = clientFrame({ opcode: text, announcedBytes: length });
        // What is not read stays with the kernel.
        await socket.write(frame);
        socket.write(new Uint8Array(length - 1));
      }
      await until("the room is used", async () => {
        return (await metrics(httpUrl))("sluice_station_frame_bytes") === roomBytes;
      });
      await bounded(120);
      // Who sends little waits for none of them.
      using good = await RawWebSocket.open(port, "/ws", { authorization });
      const topic = "good/one";
      await good.send({ opcode: text, payload: JSON.stringify({ topic, payload: { BAT: 1 } }) });
      await good.heard(/"ack"/);
    } finally {
      for (const socket of sockets) socket[Symbol.dispose]();
    }
    await until("what they held is given back", async () => {
      return (await metrics(httpUrl))("sluice_station_frame_bytes") === 0;
    });
  });
  assert.equal(sluice.process.alive, true);
});
