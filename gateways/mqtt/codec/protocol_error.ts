/**
 * What a peer did wrong, with the reason code to tell it and the clause it broke.
 *
 * @module
 */
import { reasonCodes } from "./reason_code.ts";

/** Ends the connection that caused it. `reasonCode` fits a DISCONNECT or CONNACK of MQTT 5. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly reasonCode: number;
  /** Normative statement of the MQTT 5 specification, for example `MQTT-3.1.0-1`. */
  readonly clause: string;

  constructor(reasonCode: number, what: string, clause: string) {
    super(`${what} [${clause}]`);
    this.reasonCode = reasonCode;
    this.clause = clause;
  }
}

/** Bytes that cannot be read as the packet they claim to be. */
export function malformed(what: string, clause: string): ProtocolError {
  return new ProtocolError(reasonCodes.malformedPacket, what, clause);
}

/** A well-formed packet that must not come, or not now. */
export function violation(what: string, clause: string): ProtocolError {
  return new ProtocolError(reasonCodes.protocolError, what, clause);
}
