/**
 * What a scanner hands on, kept for a test to look at.
 *
 * @module
 */
import type { AcknowledgementKind } from "../acknowledgement.ts";
import type { Packet } from "../packet.ts";
import type { Properties } from "../property_table.ts";
import type { PublishView } from "../publish.ts";
import type { PacketHandler } from "../scanner.ts";

/** Keeps what it is given; refuses while `open` is false. */
export class Collector implements PacketHandler {
  readonly packets: Packet[] = [];
  open = true;

  publish(view: PublishView): boolean {
    return this.packet(view.copy());
  }

  acknowledged(
    kind: AcknowledgementKind,
    packetId: number,
    reasonCode: number,
    properties: Properties,
  ): boolean {
    return this.packet({ kind, packetId, reasonCode, properties });
  }

  packet(packet: Packet): boolean {
    if (this.open) this.packets.push(packet);
    return this.open;
  }
}
