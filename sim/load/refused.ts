/**
 * A server that says no, and whether asking again later makes sense.
 *
 * @module
 */
import type { ProtocolVersion } from "../../gateways/mqtt/codec/packet_type.ts";
import { reasonCodes, reasonName } from "../../gateways/mqtt/codec/reason_code.ts";

/** Return codes of CONNACK before MQTT 5 (MQTT 3.1.1, table 3.1). */
const returnCodes = [
  "accepted",
  "unacceptable protocol version",
  "identifier rejected",
  "server unavailable",
  "bad user name or password",
  "not authorized",
];
const serverUnavailable = 3;

const passing: ReadonlySet<number> = new Set([
  reasonCodes.serverUnavailable,
  reasonCodes.serverBusy,
  reasonCodes.serverShuttingDown,
  reasonCodes.quotaExceeded,
  reasonCodes.connectionRateExceeded,
]);

/** The server refused the connection, or ended the session with a reason. */
export class Refused extends Error {
  override readonly name = "Refused";
  /** False when the same CONNECT will be refused again. */
  readonly retryable: boolean;

  constructor(what: "connection" | "session", version: ProtocolVersion, code: number) {
    const name = version === 5 ? reasonName(code) : returnCodes[code] ?? "unknown return code";
    super(`the server ended the ${what}: ${name} (${code})`);
    this.retryable = what === "session" ||
      (version === 5 ? passing.has(code) : code === serverUnavailable);
  }
}
