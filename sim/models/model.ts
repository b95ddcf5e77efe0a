/**
 * The devices that a fleet can have.
 *
 * @module
 */
import type { Random } from "../random.ts";
import { uuidDevice } from "./uuid_device.ts";
import { station } from "./station.ts";
import { vehicle } from "./vehicle.ts";
import { weatherStation } from "./weather_station.ts";

/** One simulated device. */
export interface SimulatedDevice {
  readonly topic: string;
  /** The next reading as its JSON object; `wallMs` since the epoch. */
  reading(wallMs: number): Readonly<Record<string, unknown>>;
}

/** Makes device number `n` of a model. */
export type DeviceModel = (n: number, random: Random) => SimulatedDevice;

export const modelNames = ["device", "station", "weather", "vehicle"] as const;
export type ModelName = typeof modelNames[number];

export const models: Readonly<Record<ModelName, DeviceModel>> = {
  device: uuidDevice,
  station,
  weather: weatherStation,
  vehicle,
};
