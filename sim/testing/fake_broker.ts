/**
 * A broker in memory that does as a test says: acknowledges, refuses, or breaks the connection.
 *
 * @module
 */
import {
  type AcknowledgementKind,
  writeAcknowledgement,
} from "../../gateways/mqtt/codec/acknowledgement.ts";
import { type ControlPacket, encodePacket } from "../../gateways/mqtt/codec/packet.ts";
import type { Properties } from "../../gateways/mqtt/codec/property_table.ts";
import { noProperties } from "../../gateways/mqtt/codec/properties.ts";
import type { Publish, PublishView } from "../../gateways/mqtt/codec/publish.ts";
import { type PacketHandler, PacketScanner } from "../../gateways/mqtt/codec/scanner.ts";
import { PacketWriter } from "../../gateways/mqtt/codec/writer.ts";
import type { Socket } from "../load/connection.ts";
import { memorySockets } from "./memory_socket.ts";

/** What becomes of a PUBLISH: a reason code to acknowledge it with, or another fate. */
export type Fate =
  | number
  /** Taken, and never acknowledged. */
  | "ignored"
  /** Taken, and the connection breaks before the acknowledgement. */
  | "broken";

export interface FakeBrokerOptions {
  /** `order` counts the PUBLISH packets of all connections from 0. Default: acknowledged with 0. */
  readonly fate?: (publish: Publish, order: number) => Fate;
  /** Reason code of CONNACK for connection number `n`. Default 0. */
  readonly connack?: (n: number) => number;
  readonly connackProperties?: Properties;
  /** Dialling for the n-th time fails. Default: never. */
  readonly unreachable?: (n: number) => boolean;
  readonly readMax?: number;
}

export class FakeBroker {
  /** Every PUBLISH that came, in order, repeated ones too. */
  readonly published: Publish[] = [];
  readonly controls: ControlPacket[] = [];
  connections = 0;
  readonly #options: FakeBrokerOptions;
  #dials = 0;

  constructor(options: FakeBrokerOptions = {}) {
    this.#options = options;
  }

  readonly dial = (): Promise<Socket> => {
    if (this.#options.unreachable?.(this.#dials++)) return Promise.reject(new Error("refused"));
    const [client, server] = memorySockets(this.#options.readMax);
    new Session(this, this.#options, server, this.connections++).run();
    return Promise.resolve(client);
  };
}

class Session implements PacketHandler {
  readonly #broker: FakeBroker;
  readonly #options: FakeBrokerOptions;
  readonly #socket: Socket;
  readonly #number: number;
  readonly #scanner: PacketScanner;
  readonly #out = new PacketWriter();
  #broken = false;

  constructor(broker: FakeBroker, options: FakeBrokerOptions, socket: Socket, number: number) {
    this.#broker = broker;
    this.#options = options;
    this.#socket = socket;
    this.#number = number;
    this.#scanner = new PacketScanner("server", this, { packetBytesMax: 1 << 20 });
  }

  async run(): Promise<void> {
    const buffer = new Uint8Array(1 << 16);
    let kept = 0;
    while (!this.#broken) {
      const count = await this.#socket.read(buffer.subarray(kept));
      if (count === null) break;
      const used = this.#scanner.scan(buffer, 0, kept + count);
      buffer.copyWithin(0, used, kept + count);
      kept += count - used;
      const answer = this.#out.bytes.slice(0, this.#out.length);
      this.#out.length = 0;
      if (answer.length > 0) await this.#socket.write(answer);
    }
    this.#socket.close();
  }

  publish(view: PublishView): boolean {
    if (this.#broken) return false;
    const publish = view.copy();
    const order = this.#broker.published.push(publish) - 1;
    const fate = this.#options.fate?.(publish, order) ?? 0;
    if (fate === "broken") this.#broken = true;
    else if (fate !== "ignored" && publish.qos > 0) {
      this.#acknowledge(publish.qos === 1 ? "puback" : "pubrec", publish.packetId, fate);
    }
    return true;
  }

  acknowledged(kind: AcknowledgementKind, packetId: number): boolean {
    if (kind === "pubrel") this.#acknowledge("pubcomp", packetId, 0);
    return true;
  }

  packet(packet: ControlPacket): boolean {
    this.#broker.controls.push(packet);
    if (packet.kind === "disconnect") this.#broken = true;
    if (packet.kind === "pingreq") this.#out.raw(encodePacket({ kind: "pingresp" }, 4));
    if (packet.kind === "connect") {
      const { version } = packet;
      const properties = version === 5
        ? this.#options.connackProperties ?? noProperties
        : noProperties;
      const reasonCode = this.#options.connack?.(this.#number) ?? 0;
      this.#out.raw(
        encodePacket({ kind: "connack", sessionPresent: false, reasonCode, properties }, version),
      );
      if (reasonCode !== 0) this.#broken = true;
    }
    return true;
  }

  #acknowledge(kind: AcknowledgementKind, packetId: number, reasonCode: number): void {
    const packet = { kind, packetId, reasonCode, properties: noProperties };
    writeAcknowledgement(this.#out, packet, this.#scanner.version ?? 4);
  }
}
