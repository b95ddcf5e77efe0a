/**
 * The proxies that tell whose connections they carry, and what they told.
 *
 * @module
 */
import type { Arrival } from "../mqtt/endpoint/arrival.ts";
import { IpNetworks } from "./ip_networks.ts";
import { readProxyHeader } from "./read_proxy_header.ts";

/** See the module. */
export class Proxies {
  readonly #networks: IpNetworks;
  readonly #clients = new WeakMap<Deno.Conn, string>();

  /** By their addresses and networks. @throws {TypeError} when one cannot be read. */
  constructor(networks: readonly string[]) {
    this.#networks = new IpNetworks(networks);
  }

  /**
   * Reads first whose connection it is, if a proxy carries it.
   *
   * @throws {ProxyHeaderError} when it does not say that as it should; other errors when it is gone.
   */
  async arrivalOf(socket: Deno.TcpConn): Promise<Arrival> {
    socket.setNoDelay(true);
    if (this.#networks.has(socket.remoteAddr.hostname)) {
      const client = await readProxyHeader(socket);
      if (client !== undefined) this.#clients.set(socket, `${client.address}:${client.port}`);
    }
    return { connection: socket, peer: this.peerOf(socket), transport: "mqtt" };
  }

  /** `host:port` of the client, as far as it is known. */
  peerOf(socket: Deno.Conn): string {
    const { remoteAddr } = socket;
    const own = "hostname" in remoteAddr ? `${remoteAddr.hostname}:${remoteAddr.port}` : "";
    return this.#clients.get(socket) ?? own;
  }
}
