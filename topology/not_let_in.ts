/**
 * A connection that a limit of connections is in the way of.
 *
 * @module
 */
import type { GateReason } from "../actors/rates/connection_gate.ts";

/** See the module. */
export class NotLetIn extends Error {
  override readonly name = "NotLetIn";

  constructor(reason: GateReason) {
    super(`its address, or all together, connect too often or have too many: ${reason}`);
  }
}
