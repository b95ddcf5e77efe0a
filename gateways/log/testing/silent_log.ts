/**
 * A log for tests of what writes to one, which goes nowhere.
 *
 * @module
 */
import type { Log } from "../log.ts";

/** See the module. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  isEnabledFor: () => false,
};
