/**
 * What a record of the spool says of devices: which readings are known, should they come again.
 *
 * @module
 */
import type { Device } from "./device.ts";
import type { SpoolRecord } from "./spool/record.ts";

/**
 * Lets the devices know what the record holds; those that `deviceOf` does not give are left out.
 * Answers whether it gave any. `seenMs` is the steady time of the commit.
 */
export function recoverRecord(
  record: SpoolRecord,
  seenMs: number,
  deviceOf: (id: string) => Device | undefined,
): boolean {
  const devices = record.devices.map(deviceOf);
  const { committedMs, count, deviceOf: index, fingerprintHi, fingerprintLo } = record;
  for (let i = 0; i < count; i++) {
    devices[index[i]!]?.recovered(fingerprintHi[i]!, fingerprintLo[i]!, committedMs, seenMs);
  }
  return devices.some((device) => device !== undefined);
}
