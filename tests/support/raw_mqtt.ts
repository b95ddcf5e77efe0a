/**
 * An MQTT client of bare bytes: it can send what no client library would.
 *
 * @module
 */
import assert from "node:assert/strict";
import { concatBytes } from "../../actors/concat_bytes.ts";

const encoder = new TextEncoder();
const bytesOf = (data: string | Uint8Array): Uint8Array =>
  typeof data === "string" ? encoder.encode(data) : data;

function varint(value: number): number[] {
  const bytes: number[] = [];
  do {
    bytes.push((value & 127) | (value > 127 ? 128 : 0));
    value >>>= 7;
  } while (value > 0);
  return bytes;
}

const prefixed = (data: Uint8Array): Uint8Array =>
  concatBytes([[data.length >> 8, data.length & 255], data]);

/** A packet with its fixed header. */
export function packet(first: number, body: Uint8Array): Uint8Array {
  return concatBytes([[first], varint(body.length), body]);
}

/** CONNECT with a clean session and a keep-alive of a minute. */
export function connectPacket(version: 4 | 5, clientId: string): Uint8Array {
  const properties = version === 5 ? [0] : [];
  const head = concatBytes([prefixed(encoder.encode("MQTT")), [version, 2, 0, 60], properties]);
  return packet(0x10, concatBytes([head, prefixed(encoder.encode(clientId))]));
}

export interface PublishFields {
  readonly topic: string | Uint8Array;
  readonly payload: string | Uint8Array;
  /** 0: QoS 0; else QoS 1, or as `qos` says, with this identifier. */
  readonly packetId?: number;
  readonly qos?: 2;
  readonly dup?: boolean;
}

/** PUBLISH, of whatever bytes. */
export function publishPacket(version: 4 | 5, fields: PublishFields): Uint8Array {
  const { packetId = 0, qos = 1, dup = false } = fields;
  const first = 0x30 | (packetId > 0 ? qos << 1 : 0) | (dup ? 8 : 0);
  const id = packetId > 0 ? [packetId >> 8, packetId & 255] : [];
  const properties = version === 5 ? [0] : [];
  return packet(
    first,
    concatBytes([prefixed(bytesOf(fields.topic)), id, properties, bytesOf(fields.payload)]),
  );
}

/** SUBSCRIBE with QoS 1. */
export function subscribePacket(
  version: 4 | 5,
  packetId: number,
  filters: readonly string[],
): Uint8Array {
  const head = [packetId >> 8, packetId & 255, ...(version === 5 ? [0] : [])];
  const options = new Uint8Array([1]);
  const asked = filters.flatMap((filter) => [prefixed(encoder.encode(filter)), options]);
  return packet(0x82, concatBytes([head, ...asked]));
}

/** A connection. Dispose of it to close it. */
export class RawClient implements Disposable {
  readonly version: 4 | 5;
  readonly #socket: Deno.TcpConn;
  #pending = new Uint8Array(0);
  #packetId = 0;
  #open = true;

  private constructor(socket: Deno.TcpConn, version: 4 | 5) {
    this.#socket = socket;
    this.version = version;
  }

  /** A connection that has said nothing yet. */
  static async dial(port: number, version: 4 | 5 = 4): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }), version);
  }

  /** A session. */
  static async connect(port: number, version: 4 | 5 = 4): Promise<RawClient> {
    const client = await RawClient.dial(port, version);
    await client.send(connectPacket(version, `raw-${crypto.randomUUID()}`));
    const connack = await client.read();
    assert.equal(connack?.[0], 0x20, "CONNACK");
    return client;
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#socket.write(bytes.subarray(at));
  }

  /** Publishes with QoS 1 and gives the reason code of its PUBACK; 0 on 3.1.1, which has none. */
  async publish(
    topic: string | Uint8Array,
    payload: string | Uint8Array,
    dup?: { readonly packetId: number },
  ): Promise<number> {
    const packetId = dup?.packetId ?? ++this.#packetId;
    const fields = { topic, payload, packetId, dup: dup !== undefined };
    await this.send(publishPacket(this.version, fields));
    const puback = await this.read();
    assert.ok(puback !== undefined, "the connection ended instead of a PUBACK");
    assert.deepEqual([puback[0], (puback[2]! << 8) | puback[3]!], [0x40, packetId]);
    return puback[4] ?? 0;
  }

  /** The identifier of the last {@linkcode RawClient.publish}. */
  get packetId(): number {
    return this.#packetId;
  }

  /** The next packet; `undefined` when the other end closed, or this one was disposed of. */
  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const whole = this.#cut();
      if (whole !== undefined) return whole;
      const more = new Uint8Array(4_096);
      let count: number | null;
      try {
        count = await this.#socket.read(more);
      } catch (cause) { // Reset: what we sent was not read before the close.
        if (this.#open && !(cause instanceof Deno.errors.ConnectionReset)) throw cause;
        count = null;
      }
      if (count === null) return undefined;
      this.#pending = concatBytes([this.#pending, more.subarray(0, count)]);
    }
  }

  [Symbol.dispose](): void {
    if (this.#open) this.#socket.close();
    this.#open = false;
  }

  #cut(): Uint8Array | undefined {
    const data = this.#pending;
    let length = 0;
    for (let i = 1; i < data.length && i < 5; i++) {
      length |= (data[i]! & 127) << (7 * (i - 1));
      if (data[i]! > 127) continue;
      const end = i + 1 + length;
      if (data.length < end) return undefined;
      this.#pending = data.slice(end);
      return data.slice(0, end);
    }
    return undefined;
  }
}
