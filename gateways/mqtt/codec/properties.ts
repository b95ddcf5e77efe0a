/**
 * Reads and writes the properties of MQTT 5 as {@linkcode propertyTable} lays them down.
 *
 * @module
 */
import { malformed, violation } from "./protocol_error.ts";
import {
  type Properties,
  type PropertyPlace,
  type PropertySpec,
  propertyTable,
} from "./property_table.ts";
import type { PacketReader } from "./reader.ts";
import type { PacketWriter } from "./writer.ts";

/** Shared by every packet that has none. */
export const noProperties: Properties = Object.freeze({});

type Value = boolean | number | string | Uint8Array | readonly [string, string];

const byId = new Map<number, PropertySpec>(propertyTable.map((spec) => [spec.id, spec]));
const byName = new Map<string, PropertySpec>(propertyTable.map((spec) => [spec.name, spec]));

/** Reads the property length and the properties of `place`. */
export function readProperties(reader: PacketReader, place: PropertyPlace): Properties {
  const length = reader.varint();
  if (length === 0) return noProperties;
  const end = reader.at + length;
  if (end > reader.end) throw malformed("properties longer than their packet", "MQTT-2.2.2.1");
  const values: Record<string, Value | Value[]> = {};
  while (reader.at < end) {
    const id = reader.varint();
    const spec = byId.get(id);
    if (spec === undefined || !spec.places.includes(place)) {
      throw malformed(`property 0x${id.toString(16)} in ${place.toUpperCase()}`, "MQTT-2.2.2.2");
    }
    const value = readValue(reader, spec);
    const before = values[spec.name];
    if (before === undefined) {
      values[spec.name] = spec.repeats === undefined ? value : [value];
    } else if (Array.isArray(before) && !spec.repeats?.except.includes(place)) {
      before.push(value);
    } else {
      throw violation(`${spec.name} twice in ${place.toUpperCase()}`, "MQTT-2.2.2.2");
    }
  }
  if (reader.at !== end) throw malformed("a property past the property length", "MQTT-2.2.2.1");
  if ("authenticationData" in values && !("authenticationMethod" in values)) {
    throw violation("authenticationData without authenticationMethod", "MQTT-3.1.2.11.10");
  }
  // `readValue` gave each name the type that the table, and so `Properties`, has for it.
  return values as Properties;
}

/** Writes the property length and the properties. Throws a `RangeError` for one that `place` forbids. */
export function writeProperties(
  writer: PacketWriter,
  properties: Properties,
  place: PropertyPlace,
): void {
  const start = writer.openLength();
  for (const [name, given] of Object.entries(properties)) {
    const spec = byName.get(name);
    if (spec === undefined || !spec.places.includes(place)) {
      throw new RangeError(`Cannot write property ${name} in ${place.toUpperCase()}`);
    }
    if (spec.repeats === undefined) writeValue(writer, spec, given);
    else if (Array.isArray(given)) { for (const value of given) writeValue(writer, spec, value); }
  }
  writer.closeLength(start);
}

function readValue(reader: PacketReader, spec: PropertySpec): Value {
  switch (spec.type) {
    case "flag": {
      const value = reader.byte();
      if (value > 1) throw violation(`${spec.name} ${value}`, "MQTT-2.2.2.2");
      return value === 1;
    }
    case "byte":
    case "uint16":
    case "uint32":
    case "varint": {
      const value = reader[spec.type]();
      if (value < (spec.min ?? 0) || value > (spec.max ?? Infinity)) {
        throw violation(`${spec.name} ${value}`, "MQTT-2.2.2.2");
      }
      return value;
    }
    case "text":
    case "binary":
      return reader[spec.type]();
    case "pair":
      return [reader.text(), reader.text()];
  }
}

function writeValue(writer: PacketWriter, spec: PropertySpec, value: unknown): void {
  writer.varint(spec.id);
  switch (spec.type) {
    case "flag":
      return writer.byte(value === true ? 1 : 0);
    case "byte":
    case "uint16":
    case "uint32":
    case "varint":
      if (typeof value === "number") return writer[spec.type](value);
      break;
    case "text":
      if (typeof value === "string") return writer.text(value);
      break;
    case "binary":
      if (value instanceof Uint8Array) return writer.binary(value);
      break;
    case "pair":
      if (Array.isArray(value)) {
        writer.text(String(value[0]));
        return writer.text(String(value[1]));
      }
      break;
  }
  throw new RangeError(`Cannot write ${typeof value} as ${spec.name}`);
}
