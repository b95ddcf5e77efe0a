/**
 * A weather station, which tells its time in seconds: `weather/{name}`. Over MQTT the topic says
 * who it is, so it has no token.
 *
 * @module
 */
import type { Random } from "../random.ts";
import type { SimulatedDevice } from "./model.ts";
import { Walk } from "./walk.ts";

export function weatherStation(n: number, random: Random): SimulatedDevice {
  const name = `mast-${n}`;
  const temperature = new Walk(
    { mean: 12, step: 0.2, pull: 0.01, min: -40, max: 50, decimals: 2 },
    random,
  );
  const pressure = new Walk(
    { mean: 1013, step: 0.4, pull: 0.01, min: 950, max: 1060, decimals: 1 },
    random,
  );
  const wind = new Walk({ mean: 5, step: 1, pull: 0.1, min: 0, max: 45, decimals: 1 }, random);
  return {
    topic: `weather/${name}`,
    reading: (wallMs) => ({
      name,
      temperature: temperature.next(),
      pressure: pressure.next(),
      wind: wind.next(),
      timestamp: wallMs / 1_000,
    }),
  };
}
