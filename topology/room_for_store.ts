/**
 * What the spools leave of their disk to the embedded store. It needs room to take what is spooled,
 * and to delete what is old: beside spools that took all there is it could do neither.
 *
 * @module
 */
import type { DiskRoom } from "../gateways/store/disk_room.ts";

/** So much, or of a small disk this part. */
const bytesMax = 8 * 1024 * 1024;
const share = 6;

/** Whether a spool may write so many bytes. What cannot be told is no reason not to. */
export function roomForStore(look: () => DiskRoom | undefined): (bytes: number) => boolean {
  return (bytes) => {
    const room = look();
    if (room === undefined) return true;
    return room.bytes - bytes >= Math.min(bytesMax, room.bytesTotal / share);
  };
}
