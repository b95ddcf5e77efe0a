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

/** Answers of HTTP that pass: the rest of 4xx says that the request itself is wrong. */
const passingStatus: ReadonlySet<number> = new Set([408, 425, 429]);
/** Codes with which the service closes a WebSocket because of what the client did. */
const clientsFault: ReadonlySet<number> = new Set([1003, 1009, 4400, 4401]);

/** The server refused the connection, or ended the session with a reason. */
export class Refused extends Error {
  override readonly name = "Refused";
  /** False when the same will be refused again. */
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean) {
    super(message);
    this.retryable = retryable;
  }

  /** CONNACK or DISCONNECT. */
  static byMqtt(what: "connection" | "session", version: ProtocolVersion, code: number): Refused {
    const name = version === 5 ? reasonName(code) : returnCodes[code] ?? "unknown return code";
    return new Refused(
      `the server ended the ${what}: ${name} (${code})`,
      what === "session" || (version === 5 ? passing.has(code) : code === serverUnavailable),
    );
  }

  /** A WebSocket's end. */
  static byClose(code: number, reason: string): Refused {
    const words = reason === "" ? "" : `: ${reason}`;
    return new Refused(`the WebSocket was closed (${code})${words}`, !clientsFault.has(code));
  }

  /** An answer that is neither a yes nor backpressure. */
  static byStatus(status: number, body: string): Refused {
    return new Refused(
      `the server answers ${status}: ${body.slice(0, 300)}`,
      status >= 500 || passingStatus.has(status),
    );
  }
}
