/**
 * A device with a UUID and one value: `device/{uuid}`.
 *
 * @module
 */
import type { Random } from "../random.ts";
import type { SimulatedDevice } from "./model.ts";
import { Walk } from "./walk.ts";

export function uuidDevice(_n: number, random: Random): SimulatedDevice {
  const uuid = uuidOf(random);
  const value = new Walk({ mean: 50, step: 1, pull: 0.02, min: 0, max: 100, decimals: 2 }, random);
  return {
    topic: `device/${uuid}`,
    reading: () => ({ uuid, value: value.next() }),
  };
}

/** A version 4 UUID (RFC 9562 §5.4) that the seed decides. */
function uuidOf(random: Random): string {
  const hex = Array.from({ length: 32 }, (_, i) => {
    const digit = Math.floor(random.next() * 16);
    return (i === 12 ? 4 : i === 16 ? (digit & 0b0011) | 0b1000 : digit).toString(16);
  }).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
