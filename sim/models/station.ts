/**
 * A station with battery, temperature and humidity: `{location}/{station}`, local time with offset.
 *
 * @module
 */
import type { Random } from "../random.ts";
import type { SimulatedDevice } from "./model.ts";
import { Walk } from "./walk.ts";

const locations = ["UPB", "Dorinel", "Harbour", "Depot"];
/** A battery that is empty is changed. */
const batteryFull = 100;

export function station(n: number, random: Random): SimulatedDevice {
  const temperature = new Walk(
    { mean: 22, step: 0.3, pull: 0.03, min: -30, max: 60, decimals: 1 },
    random,
  );
  const humidity = new Walk(
    { mean: 45, step: 1, pull: 0.03, min: 0, max: 100, decimals: 0 },
    random,
  );
  let battery = random.between(40, batteryFull);
  return {
    // Four in a row share one: models that take turns would have all of theirs in the same place.
    topic: `${locations[Math.floor(n / 4) % locations.length]}/RPi_${n}`,
    reading(wallMs) {
      battery -= random.between(0, 0.05);
      if (battery < 5) battery = batteryFull;
      return {
        BAT: Math.round(battery),
        HUMID: humidity.next(),
        PRJ: "SIM",
        TMP: temperature.next(),
        status: "OK",
        timestamp: withOffset(wallMs, 2),
      };
    },
  };
}

/** RFC 3339 with ms, as a clock `hours` east of Greenwich shows it. */
function withOffset(wallMs: number, hours: number): string {
  const local = new Date(wallMs + hours * 3_600_000).toISOString();
  return local.replace("Z", `+${String(hours).padStart(2, "0")}:00`);
}
