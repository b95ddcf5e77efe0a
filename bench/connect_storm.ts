/**
 * Clients that connect and go, one after the other: `connect_storm.ts PORT COUNT PREFIX`. Each is
 * dialled, sends CONNECT, reads CONNACK and closes; {@linkcode atOnce} are under way at a time.
 *
 * It calls the C library by itself: a client of Deno's own sockets takes as long as a broker does
 * for it, on the same cores.
 *
 * @module
 */
import { connectPacket } from "./pubsub_client.ts";

const atOnce = 32;
const acceptedCode = 0;

// <sys/socket.h> of Linux. What is returned is never as long as 32 bits.
const afInet = 2;
const sockStream = 1;
const msgNoSignal = 0x4000;
const msgWaitAll = 0x100;

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

/** `struct sockaddr_in` of 127.0.0.1. */
function loopback(port: number): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(16);
  const view = new DataView(address.buffer);
  view.setUint16(0, afInet, true);
  view.setUint16(2, port);
  view.setUint32(4, 0x7f00_0001);
  return address;
}

/** Sends CONNECT over a new socket, and gives its descriptor. */
function begin(address: Uint8Array<ArrayBuffer>, packet: Uint8Array<ArrayBuffer>): number {
  const socket = libc.socket(afInet, sockStream, 0);
  if (socket < 0) throw new Error("no socket is to be had");
  if (libc.connect(socket, address, address.length) !== 0) throw new Error("nobody listens");
  const sent = libc.send(socket, packet, BigInt(packet.length), msgNoSignal);
  if (sent !== packet.length) throw new Error("CONNECT could not be sent");
  return socket;
}

const connack = new Uint8Array(4);
const connackLength = BigInt(connack.length);

/** Waits for CONNACK, and closes. */
function end(socket: number): void {
  const read = libc.recv(socket, connack, connackLength, msgWaitAll);
  if (read !== connack.length) throw new Error("the broker closed before CONNACK");
  if (connack[3] !== acceptedCode) throw new Error(`the broker refused: ${connack}`);
  libc.close(socket);
}

const [port = "", count = "", prefix = ""] = Deno.args;
const address = loopback(Number(port));
const packets = Array.from({ length: Number(count) }, (_, i) => connectPacket(`${prefix}-${i}`));
const open: number[] = new Array(atOnce).fill(-1);
const startMs = performance.now();
for (const [i, packet] of packets.entries()) {
  const place = i % atOnce;
  if (i >= atOnce) end(open[place]!);
  open[place] = begin(address, packet);
}
// The oldest first.
const rest = Math.min(atOnce, packets.length);
for (let i = packets.length - rest; i < packets.length; i++) end(open[i % atOnce]!);
const perS = packets.length / (performance.now() - startMs) * 1_000;
Deno.stdout.writeSync(new TextEncoder().encode(`${perS}\n`));
