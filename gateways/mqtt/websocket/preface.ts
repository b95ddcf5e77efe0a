/**
 * What the HTTP edge says to a shard before the bytes of a WebSocket client: who that client is. It
 * goes over a socket that only this service's user may open, so it is believed.
 *
 * @module
 */
import type { Arrival, ClientCertificate } from "../endpoint/arrival.ts";
import type { Connection } from "../endpoint/link.ts";

/** Who a client is: `peer` is `host:port`. */
export interface Preface extends Pick<Arrival, "peer"> {
  readonly certificate: ClientCertificate | undefined;
  /** It was let in at the door when it connected, and is counted by the HTTP edge. */
  readonly entered: boolean;
}

/** JSON behind its length, in two bytes: no byte of MQTT is read with it. */
const lengthBytes = 2;

/** @throws {RangeError} when the certificate's names are far too long. */
export function prefaceOf(preface: Preface): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(preface));
  if (json.length > 0xffff) throw new RangeError("Cannot tell a shard of so long a certificate");
  const bytes = new Uint8Array(lengthBytes + json.length);
  new DataView(bytes.buffer).setUint16(0, json.length);
  bytes.set(json, lengthBytes);
  return bytes;
}

/** @throws {Error} when the connection ends before it is told, or it is none. */
export async function readPreface(connection: Pick<Connection, "read">): Promise<Preface> {
  const head = await readExactly(connection, lengthBytes);
  const json = await readExactly(connection, new DataView(head.buffer).getUint16(0));
  const value: unknown = JSON.parse(new TextDecoder().decode(json));
  if (typeof value === "object" && value !== null && "peer" in value) {
    const certificate = "certificate" in value ? value.certificate : undefined;
    const { peer } = value;
    const entered = "entered" in value && value.entered === true;
    if (typeof peer === "string" && (certificate === undefined || isCertificate(certificate))) {
      return { peer, certificate, entered };
    }
  }
  throw new TypeError("Cannot read who a client is: wrong shape");
}

function isCertificate(value: unknown): value is ClientCertificate {
  return typeof value === "object" && value !== null &&
    "name" in value && typeof value.name === "string" &&
    "issuer" in value && typeof value.issuer === "string" &&
    "serial" in value && typeof value.serial === "string" &&
    "expiresMs" in value && typeof value.expiresMs === "number";
}

/** As many bytes, and not one more. @throws {Error} when the connection ends before. */
export async function readExactly(
  connection: Pick<Connection, "read">,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await connection.read(bytes.subarray(at));
    if (count === null) throw new Error(`the connection ended after ${at} of ${length} bytes`);
    at += count;
  }
  return bytes;
}
