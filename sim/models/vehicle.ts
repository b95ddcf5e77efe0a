/**
 * A vehicle that drives about a town and tells where it is: `{fleet}/{vehicle}/position`.
 *
 * @module
 */
import type { Random } from "../random.ts";
import type { SimulatedDevice } from "./model.ts";
import { Walk } from "./walk.ts";

/** Middle of the town, and how far out its vehicles go before they turn back, in degrees. */
const town = { lat: 44.4268, lon: 26.1025, radius: 0.15 };
const metresPerDegree = 111_320;
/** A vehicle that was not asked for longer stood still meanwhile. */
const strideMaxS = 60;

export function vehicle(n: number, random: Random): SimulatedDevice {
  const speed = new Walk({ mean: 40, step: 4, pull: 0.05, min: 0, max: 90, decimals: 1 }, random);
  let lat = town.lat + random.between(-0.5, 0.5) * town.radius;
  let lon = town.lon + random.between(-0.5, 0.5) * town.radius;
  let heading = random.between(0, 360);
  let lastMs: number | undefined;
  return {
    topic: `fleet-1/bus-${n}/position`,
    reading(wallMs) {
      const kmh = speed.next();
      const strideS = Math.min(strideMaxS, Math.max(0, (wallMs - (lastMs ?? wallMs)) / 1_000));
      lastMs = wallMs;
      heading = (heading + random.normal() * 10 + 360) % 360;
      const out = Math.hypot(lat - town.lat, lon - town.lon) > town.radius;
      if (out) heading = bearing(town.lat - lat, town.lon - lon);
      const degrees = kmh / 3.6 * strideS / metresPerDegree;
      const radians = heading * Math.PI / 180;
      lat += degrees * Math.cos(radians);
      lon += degrees * Math.sin(radians) / Math.cos(lat * Math.PI / 180);
      return {
        lat: Number(lat.toFixed(6)),
        lon: Number(lon.toFixed(6)),
        speed: kmh,
        heading: Number(heading.toFixed(1)),
        timestamp: wallMs,
      };
    },
  };
}

/** Degrees clockwise from north. */
function bearing(north: number, east: number): number {
  return (Math.atan2(east, north) * 180 / Math.PI + 360) % 360;
}
