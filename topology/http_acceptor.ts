/**
 * Where HTTP's clients arrive: over TCP, some of them through proxies.
 *
 * @module
 */
import type { Config } from "../config.ts";
import type { ListenAddress } from "../config/listen_address.ts";
import { logger } from "../gateways/log/log.ts";
import { type Acceptor, acceptorOf } from "../gateways/mqtt/endpoint/arrival.ts";
import { PreparedAcceptor } from "../gateways/mqtt/endpoint/prepared_acceptor.ts";
import { Proxies } from "../gateways/proxy/proxies.ts";
import { ProxyHeaderError } from "../gateways/proxy/proxy_header.ts";
import type { Clock } from "../runtime/clock.ts";

const log = logger("http");

/** `headerRefused` is called for a proxy that does not say whose connection it carries. */
export function httpAcceptor(
  address: ListenAddress,
  { proxyProtocol, connectionsMax, headTimeoutMs }: Config["http"],
  clock: Clock,
  headerRefused: () => void,
): Acceptor {
  const listener = Deno.listen({ ...address, transport: "tcp" });
  if (proxyProtocol.length === 0) return acceptorOf(listener);
  const proxies = new Proxies(proxyProtocol);
  return new PreparedAcceptor<Deno.TcpConn>({
    listener,
    prepare: (socket) => proxies.arrivalOf(socket),
    countMax: connectionsMax,
    deadlineMs: headTimeoutMs,
    clock,
    refused: (cause, socket) => {
      if (!(cause instanceof ProxyHeaderError)) return;
      headerRefused();
      log.warn("a proxy's connection was refused", {
        proxy: proxies.peerOf(socket),
        why: cause.message,
      });
    },
  });
}
