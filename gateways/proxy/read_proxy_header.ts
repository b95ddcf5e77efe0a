/**
 * Reads a proxy's header off a connection, and not one byte of what follows it.
 *
 * @module
 */
import { concatBytes } from "../../actors/concat_bytes.ts";
import type { Connection } from "../mqtt/endpoint/link.ts";
import { type ProxiedClient, proxyHeaderStep } from "./proxy_header.ts";

/**
 * Who is behind the proxy; `undefined` when it speaks for itself, or does not know.
 *
 * @throws {ProxyHeaderError} when what comes is no such header; other errors when the connection
 * ends before.
 */
export async function readProxyHeader(
  connection: Pick<Connection, "read">,
): Promise<ProxiedClient | undefined> {
  let header = new Uint8Array(0);
  for (;;) {
    const step = proxyHeaderStep(header);
    if (step.kind === "whole") return step.client;
    const into = new Uint8Array(step.bytes);
    const count = await connection.read(into);
    if (count === null) {
      throw new Error(`the connection ended after ${header.length} bytes of its PROXY header`);
    }
    header = concatBytes([header, into.subarray(0, count)]);
  }
}
