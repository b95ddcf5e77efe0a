/**
 * A cheap MQTT 3.1.1 client for load: it sends bytes that were encoded ahead, counts what comes, and
 * acknowledges a whole read with one write.
 *
 * @module
 */
import { writeAcknowledged } from "../gateways/mqtt/codec/acknowledgement.ts";
import { encodePacket, type Packet } from "../gateways/mqtt/codec/packet.ts";
import { noProperties } from "../gateways/mqtt/codec/properties.ts";
import type { PublishView, Qos } from "../gateways/mqtt/codec/publish.ts";
import { type PacketHandler, PacketScanner } from "../gateways/mqtt/codec/scanner.ts";
import { PacketWriter } from "../gateways/mqtt/codec/writer.ts";

const readBytes = 64 * 1024;
const answerDeadlineMs = 30_000;

/** One connection. Whatever ends it early is thrown by what waits for it. */
export class PubSubClient implements PacketHandler, Disposable {
  /** PUBLISH packets that came. */
  received = 0;
  /** PUBACKs that came. */
  acknowledgements = 0;
  /** Whether the broker had a session of it. */
  present = false;
  /** Called after each read. */
  progressed: () => void = () => {};
  readonly #connection: Deno.TcpConn;
  readonly #scanner = new PacketScanner("client", this, { version: 4, packetBytesMax: readBytes });
  readonly #acks = new PacketWriter();
  #answers = 0;
  #refused: string | undefined;
  #failed: unknown;
  #acking = false;
  #open = true;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#read().catch((cause) => this.#fail(cause));
  }

  /** Resolves at CONNACK. */
  static async connect(port: number, clientId: string, clean = true): Promise<PubSubClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    const client = new PubSubClient(connection);
    await client.#ask(connectPacket(clientId, clean));
    return client;
  }

  /** Resolves at SUBACK. */
  subscribe(filter: string, qos: Qos): Promise<void> {
    return this.#ask(encodePacket(subscribePacket(filter, qos), 4));
  }

  /** Sends whole packets. One call at a time, and none by a client that acknowledges. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  /** Resolves once `check` is true; it is asked after each read. */
  async until(what: string, check: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const before = this.progressed;
    const timer = setTimeout(
      () => reject(new Error(`${what}: not within ${answerDeadlineMs} ms`)),
      answerDeadlineMs,
    );
    this.progressed = () => {
      if (this.#failed !== undefined) reject(new Error(what, { cause: this.#failed }));
      else if (check()) resolve();
    };
    this.progressed();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.progressed = before;
    }
  }

  /** Throws what went wrong since. */
  check(): void {
    if (this.#failed !== undefined) throw new Error("a connection failed", { cause: this.#failed });
  }

  publish(view: PublishView): boolean {
    this.received++;
    if (view.qos === 1) writeAcknowledged(this.#acks, "puback", view.packetId);
    return true;
  }

  acknowledged(): boolean {
    this.acknowledgements++;
    return true;
  }

  packet(packet: Packet): boolean {
    if (packet.kind === "connack") this.present = packet.sessionPresent;
    const refused = packet.kind === "connack"
      ? packet.reasonCode !== 0
      : packet.kind === "suback" && packet.reasonCodes.some((code) => code >= 0x80);
    if (refused) this.#refused = JSON.stringify(packet);
    this.#answers++;
    return true;
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#connection.close();
  }

  async #ask(bytes: Uint8Array): Promise<void> {
    const answers = this.#answers;
    await this.send(bytes);
    await this.until("an answer to CONNECT or SUBSCRIBE", () => this.#answers > answers);
    if (this.#refused !== undefined) throw new Error(`the broker refused: ${this.#refused}`);
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(readBytes);
    let length = 0;
    for (;;) {
      const count = await this.#connection.read(buffer.subarray(length));
      if (count === null) throw new Error("the broker closed the connection");
      length += count;
      const taken = this.#scanner.scan(buffer, 0, length);
      buffer.copyWithin(0, taken, length);
      length -= taken;
      if (this.#acks.length > 0 && !this.#acking) this.#acknowledge();
      this.progressed();
    }
  }

  /** What gathers during one write goes out with the next. */
  async #acknowledge(): Promise<void> {
    this.#acking = true;
    try {
      while (this.#acks.length > 0) {
        const bytes = this.#acks.bytes.slice(0, this.#acks.length);
        this.#acks.length = 0;
        await this.send(bytes);
      }
    } catch (cause) {
      this.#fail(cause);
    } finally {
      this.#acking = false;
    }
  }

  #fail(cause: unknown): void {
    if (!this.#open) return; // Closed by ourselves.
    this.#failed ??= cause;
    this.progressed();
  }
}

/** Without keep-alive. */
export function connectPacket(clientId: string, clean = true): Uint8Array<ArrayBuffer> {
  const session = { clean, keepAliveS: 0, properties: {} };
  return encodePacket({ kind: "connect", version: 4, clientId, ...session }, 4);
}

export function subscribePacket(filter: string, qos: Qos): Packet {
  const asIs = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  const subscriptions = [{ filter, qos, ...asIs }];
  return { kind: "subscribe", packetId: 1, subscriptions, properties: noProperties };
}

/** PUBLISH packets with the packet identifiers `firstId`, `firstId + 1`, … joined. */
export function publishPackets(
  topics: readonly string[],
  payload: Uint8Array,
  { qos, retain = false, firstId }: {
    readonly qos: Qos;
    readonly retain?: boolean;
    readonly firstId: number;
  },
): Uint8Array<ArrayBuffer> {
  const writer = new PacketWriter();
  for (const [i, topic] of topics.entries()) {
    const packetId = qos === 0 ? 0 : firstId + i;
    const fields = { qos, retain, packetId, topic, payload, dup: false, properties: noProperties };
    writer.raw(encodePacket({ kind: "publish", ...fields }, 4));
  }
  return writer.bytes.slice(0, writer.length);
}
