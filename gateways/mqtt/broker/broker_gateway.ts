/**
 * One broker connection as an actor: subscribes, hands every message to the intake, acknowledges
 * what was settled, and stops reading the socket when there is no credit.
 *
 * @module
 */
import mqtt from "mqtt";
import type { Intake, Origin, Rejection } from "../../../actors/intake.ts";
import { blankOffer, unawaited } from "../../../actors/intake.ts";
import type { Actor, Context } from "../../../runtime/actor.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { writeAcknowledged } from "../codec/acknowledgement.ts";
import type { Properties } from "../codec/property_table.ts";
import type { PublishView } from "../codec/publish.ts";
import { PacketWriter } from "../codec/writer.ts";
import { fillOffer } from "../endpoint/fill_offer.ts";
import { type Acknowledger, InFlight } from "../endpoint/in_flight.ts";
import type { PubSub } from "../pubsub/pubsub.ts";
import { type BrokerOptions, clientOptions } from "./broker_options.ts";
import type { ByteStream } from "./byte_stream.ts";
import { dial, type TlsIdentity } from "./dial.ts";
import {
  subscriptionAnswer,
  subscriptionChange,
  type SubscriptionMemory,
  wireFilters,
} from "./subscriptions.ts";
import { BrokerTap, type TapHandler } from "./tap.ts";

/** What the gateway tells its surroundings; each is one line in the log or one number. */
export interface BrokerEvents {
  connected(sessionPresent: boolean): void;
  disconnected(reason: string): void;
  failed(reason: string): void;
  /** A message came back that had gone out from here: it is acknowledged and not taken again. */
  looped(): void;
  /** A subscription was refused: topic filter and reason code. */
  refused(filter: string, code: number): void;
}

export type BrokerCommand =
  | { readonly kind: "filters"; readonly filters: readonly string[] }
  | { readonly kind: "drain"; readonly drained: () => void }
  | { readonly kind: "connected"; readonly sessionPresent: boolean };

export interface BrokerDependencies {
  readonly intake: Intake;
  /** Where messages go on to subscribers; absent: they do not. */
  readonly messages?: Pick<PubSub, "publishAnyway" | "flush" | "listening">;
  readonly events: BrokerEvents;
  readonly memory: SubscriptionMemory;
  readonly hash: (text: string) => number;
  readonly dial?: (url: URL, tls: TlsIdentity) => Promise<ByteStream>;
}

/** The user property that says which Sluice a message went through. */
const gatewayProperty = "sluice-gateway";

/** How long messages of QoS 0 gather in the socket. */
const gatherMs = 40;

/** See the module. */
export class BrokerGateway implements Actor<BrokerCommand>, Origin, TapHandler, Acknowledger {
  readonly transport = "broker";
  readonly originHash: number;
  readonly #options: BrokerOptions;
  readonly #needs: BrokerDependencies;
  readonly #clock: Clock;
  readonly #client: mqtt.MqttClient;
  readonly #writer = new PacketWriter();
  readonly #offer = blankOffer();
  /** QoS 2 messages that were taken and not released yet: a second copy is not a second reading. */
  readonly #received = new Set<number>();
  #acks: InFlight;
  /** Sequences of this connection start here: settlements of an earlier one are not for it. */
  #epoch = 0;
  #tap: BrokerTap | undefined;
  #filters: readonly string[];
  #connected = false;
  /** The broker has answered to the subscriptions of this connection. */
  #subscribed = false;
  #draining: (() => void) | undefined;
  #lastError = "";
  #lastFailure: Error | undefined;

  constructor(options: BrokerOptions, needs: BrokerDependencies, context: Context<BrokerCommand>) {
    this.#options = options;
    this.#needs = needs;
    this.#clock = context.clock;
    this.#filters = options.filters;
    this.originHash = needs.hash(options.clientId);
    this.#acks = new InFlight(options.receiveMaximum);
    this.#client = new mqtt.MqttClient(() => this.#connect(), clientOptions(options));
    this.#listen(context);
  }

  /** Whether messages can come in: connected, and subscribed. */
  get subscribed(): boolean {
    return this.#subscribed;
  }

  /** What last went wrong; empty when nothing did since the connection was made. */
  get lastError(): string {
    return this.#lastError;
  }

  receive(command: BrokerCommand): void {
    switch (command.kind) {
      case "connected":
        return this.#subscribe(command.sessionPresent);
      case "filters":
        this.#filters = command.filters;
        if (this.#connected) this.#subscribe(true);
        return;
      case "drain":
        this.#draining = command.drained;
        return this.#finishDrain();
      default:
        return command satisfies never;
    }
  }

  stopped(): Promise<void> {
    this.#needs.intake.forget(this);
    return new Promise((resolve) => this.#client.end(true, {}, () => resolve()));
  }

  publish(view: PublishView): boolean {
    if (this.#draining !== undefined) return false;
    const { qos, packetId } = view;
    if (qos === 2 && this.#received.has(packetId)) return true;
    if (qos > 0 && this.#acks.count >= this.#acks.countMax) return false;
    if (this.#isOwn(view.properties)) return this.#looped(view);
    const offer = this.#offer;
    fillOffer(offer, view);
    offer.sequence = qos === 0 ? unawaited : this.#epoch + this.#acks.push(packetId, qos);
    const result = this.#needs.intake.offer(this, offer);
    if (result === "full") {
      if (qos > 0) this.#acks.unpush();
      return false;
    }
    if (qos === 2) this.#received.add(packetId);
    this.#deliver(view);
    if (result !== "accepted" && qos > 0) this.#acks.settle(offer.sequence - this.#epoch, 0);
    return true;
  }

  acknowledge(packetId: number, qos: 1 | 2): void {
    writeAcknowledged(this.#writer, qos === 1 ? "puback" : "pubrec", packetId);
  }

  released(packetId: number): void {
    this.#received.delete(packetId);
    writeAcknowledged(this.#writer, "pubcomp", packetId);
  }

  drained(): void {
    this.#needs.intake.flush();
    this.#needs.messages?.flush();
    this.#release();
  }

  /** A rejected message is acknowledged as taken: the broker could do nothing better with it. */
  settled(sequence: number, _rejection: Rejection | undefined): void {
    if (sequence >= this.#epoch) this.#acks.settle(sequence - this.#epoch, 0);
  }

  settledEnd(): void {
    this.#release();
  }

  resume(): void {
    this.#tap?.readOn();
  }

  /** To subscribers; what a broker retains is not retained here, for its clearing would not be seen. */
  #deliver({ qos, properties }: PublishView): void {
    const { messages } = this.#needs;
    const { gatewayId, deliveredBytesMax } = this.#options;
    const offer = this.#offer;
    if (messages?.listening !== true) return;
    if (offer.payloadEnd - offer.payloadStart > deliveredBytesMax) return;
    offer.flags = qos;
    const mark = [gatewayProperty, gatewayId] as const;
    const userProperties = [...properties.userProperties ?? [], mark];
    messages.publishAnyway(offer, { ...properties, userProperties });
  }

  /** Only MQTT 5 can say so. */
  #isOwn({ userProperties }: Properties): boolean {
    const { gatewayId } = this.#options;
    return userProperties?.some(([name, value]) =>
      name === gatewayProperty && value === gatewayId
    ) ?? false;
  }

  #looped({ qos, packetId }: PublishView): true {
    this.#needs.events.looped();
    if (qos > 0) this.#acks.settle(this.#acks.push(packetId, qos), 0);
    if (qos === 2) this.#received.add(packetId);
    return true;
  }

  #connect(): BrokerTap {
    this.#epoch += 0x1_0000_0000;
    this.#acks = new InFlight(this.#options.receiveMaximum);
    // What was not acknowledged comes again, marked as a duplicate, and its device knows it.
    this.#received.clear();
    const tap = new BrokerTap({
      dial: async () => (this.#needs.dial ?? dial)(this.#options.url, await this.#options.tls()),
      version: this.#options.version,
      packetBytesMax: this.#options.packetBytesMax,
      keptBytesMax: this.#options.keptBytesMax,
      gatherMs: this.#options.qos === 0 ? gatherMs : 0,
      clock: this.#clock,
      handler: this,
    });
    // mqtt.js tells only of errors with a code: of no certificate and no WebSocket.
    tap.on("error", (error) => {
      if (this.#connected) this.#lastError = error.message; // Told with the connection's end.
      else this.#failed(error);
    });
    this.#tap = tap;
    return tap;
  }

  #listen(context: Context<BrokerCommand>): void {
    const { events } = this.#needs;
    this.#client.on("connect", (connack) => {
      this.#connected = true;
      this.#lastError = "";
      events.connected(connack.sessionPresent);
      context.self.tell({ kind: "connected", sessionPresent: connack.sessionPresent });
    });
    this.#client.on("close", () => {
      if (!this.#connected) return;
      this.#connected = this.#subscribed = false;
      if (this.#client.disconnecting) return; // This end closed it.
      events.disconnected(this.#lastError === "" ? "connection closed" : this.#lastError);
    });
    this.#client.on("error", (error) => this.#failed(error));
  }

  /** Told once, though a stream's error is mqtt.js's too. */
  #failed(error: Error): void {
    if (error === this.#lastFailure) return;
    this.#lastFailure = error;
    this.#lastError = error.message;
    this.#needs.events.failed(error.message);
  }

  #subscribe(sessionPresent: boolean): void {
    const { clientId, share, qos } = this.#options;
    const { memory, events } = this.#needs;
    const wanted = wireFilters(this.#filters, share);
    const { subscribe, unsubscribe } = subscriptionChange(
      memory.load(clientId),
      wanted,
      sessionPresent,
    );
    if (unsubscribe.length > 0) this.#client.unsubscribe(unsubscribe);
    if (subscribe.length === 0) {
      this.#subscribed = true; // The session has them already.
      return memory.save(clientId, wanted);
    }
    this.#client.subscribe(subscribe, { qos }, (error, _granted, suback) => {
      const answer = subscriptionAnswer(subscribe, wanted, (suback?.granted ?? []).map(Number));
      // A filter that is refused is an error of the client's too; the answer says which it is.
      if (error && answer === undefined) {
        this.#lastError = `subscribe: ${error.message}`;
        events.failed(this.#lastError);
        return;
      }
      const { held, refused } = answer ?? { held: wanted, refused: [] };
      for (const { filter, code } of refused) events.refused(filter, code);
      memory.save(clientId, held);
      this.#subscribed = this.#connected && held.length > 0;
      if (held.length === 0) this.#lastError = "subscribe: the broker refused every filter";
    });
  }

  /** Writes the acknowledgements that are due, all in one go. */
  #release(): void {
    const writer = this.#writer;
    this.#acks.release(this);
    if (writer.length > 0) {
      this.#tap?.send(writer.bytes.slice(0, writer.length));
      writer.length = 0;
      this.#tap?.readOn();
    }
    this.#finishDrain();
  }

  #finishDrain(): void {
    if (this.#draining === undefined || this.#acks.count > 0) return;
    const drained = this.#draining;
    this.#draining = () => {};
    drained();
  }
}
