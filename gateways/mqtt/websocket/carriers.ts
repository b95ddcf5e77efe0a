/**
 * MQTT over WebSocket at the HTTP edge: lets clients in at `/mqtt` and carries each one's bytes to a
 * shard, so that sessions, accounts and limits are the same as over TCP.
 *
 * @module
 */
import { Problem } from "../../http/problem.ts";
import { refuseForeignPage } from "../../http/security.ts";
import type { Caller } from "../../http/callers.ts";
import type { Timer } from "../../../runtime/clock.ts";
import { requireWebSocket } from "../../websocket/wire/handshake.ts";
import { openSocket } from "../../websocket/wire/open_socket.ts";
import type { ServerSocket, ServerSocketOptions } from "../../websocket/wire/server_socket.ts";
import type { ClientCertificate } from "../endpoint/arrival.ts";
import type { Connection } from "../endpoint/link.ts";
import { Carrier, type CarrierEnd } from "./carrier.ts";
import { prefaceOf } from "./preface.ts";
import { certificatePrint } from "./revoked_certificates.ts";

export interface CarriersOptions {
  readonly socket: ServerSocketOptions;
  /** Opens a connection to a shard; rejects when it is not there. */
  readonly dial: (shard: number) => Promise<Connection>;
  readonly shards: number;
  /** Tells all shards of clients' certificates that are revoked now: these and no others. */
  readonly revoked: (prints: readonly string[]) => void;
}

/** How long a session has to say why it ends. */
const revokedMs = 5_000;

/** Connections at once. */
const countMax = 4_096;

/** `mqtt` is of 3.1.1 and 5 [MQTT-6.0.0-3]; clients of 3.1 say the other. */
const subProtocols = ["mqtt", "mqttv3.1"] as const;

/** See the module. */
export class Carriers {
  readonly #options: CarriersOptions;
  readonly #carriers = new Map<Carrier, ClientCertificate | undefined>();
  readonly #ends = new Map<CarrierEnd, number>();
  /** Those whose session is to end, and when it is not waited for any longer. */
  readonly #cutOffs = new Map<Carrier, Timer>();
  #revoked: readonly string[] = [];
  #isRevoked: (certificate: ClientCertificate) => boolean = () => false;
  #next = 0;
  #accepted = 0;
  #dialing = 0;
  #draining = false;

  constructor(options: CarriersOptions) {
    this.#options = options;
  }

  /**
   * Makes a connection of a request. The answer is for nobody then: it was taken away from it.
   *
   * @throws {Problem} when it cannot be had.
   */
  async upgrade(request: Request, caller: Caller): Promise<Response> {
    const { certificate, takeOver } = caller;
    const { headers } = request;
    requireWebSocket(request, "here is MQTT over WebSocket");
    refuseForeignPage(headers);
    const offered = (headers.get("sec-websocket-protocol") ?? "").split(",").map((p) => p.trim());
    const protocol = subProtocols.find((known) => offered.includes(known));
    if (protocol === undefined) {
      throw new Problem("invalid-header", "offer the sub-protocol mqtt: Sec-WebSocket-Protocol");
    }
    if (this.#draining || this.#carriers.size + this.#dialing >= countMax) throw noMore();
    const preface = prefaceFor(caller);
    this.#dialing++;
    const shard = await this.#dial(preface).finally(() => this.#dialing--);
    try {
      if (certificate !== undefined && this.#isRevoked(certificate)) { // Since it was let in.
        throw new Problem("forbidden", "the certificate was revoked");
      }
      this.#carry(
        openSocket(request, takeOver, this.#options.socket, protocol),
        shard,
        certificate,
      );
    } catch (cause) {
      shard.close();
      throw cause;
    }
    return new Response(null);
  }

  /** Connections that are open. */
  get size(): number {
    return this.#carriers.size;
  }

  /** Lets nobody in any more. The shards end the sessions, and with them the connections. */
  drain(): void {
    this.#draining = true;
  }

  close(): void {
    this.#draining = true;
    for (const carrier of [...this.#carriers.keys()]) carrier.close();
  }

  /** Certificates that were revoked while their clients were here, as the shards are to know them. */
  get revoked(): readonly string[] {
    return this.#revoked;
  }

  /**
   * Has the sessions end whose clients came with certificates that are revoked now. The shards do
   * it, for they can tell the client, and know that it is not its own doing.
   */
  recheck(isRevoked: (certificate: ClientCertificate) => boolean): void {
    this.#isRevoked = isRevoked;
    const { socket: { clock }, revoked } = this.#options;
    const prints = new Set<string>();
    for (const [carrier, certificate] of this.#carriers) {
      if (certificate === undefined || !isRevoked(certificate)) continue;
      prints.add(certificatePrint(certificate));
      if (this.#cutOffs.has(carrier)) continue;
      carrier.revoke();
      this.#cutOffs.set(carrier, clock.setTimer(revokedMs, () => carrier.cutOff()));
    }
    this.#revoked = [...prints];
    revoked(this.#revoked);
  }

  counters(): Record<string, number> {
    const counters: Record<string, number> = { sluice_mqtt_ws_accepted_total: this.#accepted };
    for (const [end, count] of this.#ends) counters[`sluice_mqtt_ws_ended_${end}_total`] = count;
    return counters;
  }

  gauges(): Record<string, number> {
    return { sluice_mqtt_ws_connections: this.#carriers.size };
  }

  #carry(
    socket: ServerSocket,
    shard: Connection,
    certificate: ClientCertificate | undefined,
  ): void {
    this.#accepted++;
    const carrier: Carrier = new Carrier(socket, shard, (end) => {
      this.#carriers.delete(carrier);
      this.#cutOffs.get(carrier)?.clear();
      this.#cutOffs.delete(carrier);
      this.#ends.set(end, (this.#ends.get(end) ?? 0) + 1);
    });
    this.#carriers.set(carrier, certificate);
    carrier.start();
  }

  /** The shards in turn; one that is being started anew is passed over. */
  async #dial(preface: Uint8Array<ArrayBuffer>): Promise<Connection> {
    const { shards, dial } = this.#options;
    for (let tries = 0; tries < shards; tries++) {
      const shard = this.#next++ % shards;
      const connection = await dial(shard).catch(() => undefined);
      if (connection === undefined) continue;
      try {
        await connection.write(preface); // Whole: a new socket has room for more.
        return connection;
      } catch {
        connection.close();
      }
    }
    throw noMore();
  }
}

/** Which port the client has is not known here. @throws {Problem} when it does not fit. */
function prefaceFor(
  { peer, certificate, entered = false }: Caller,
): Uint8Array<ArrayBuffer> {
  try {
    return prefaceOf({ peer: `${peer}:0`, certificate, entered });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new Problem("forbidden", "the names in the client's certificate are too long");
  }
}

const noMore = (): Problem =>
  new Problem("unavailable", "no more connections now", {}, { "retry-after": "5" });
