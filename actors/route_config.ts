/**
 * Routes as configuration: their JSON Schema, which the published schema of the whole
 * configuration includes, and the type it stands for.
 *
 * A place in a payload is written as a key (`timestamp`) or, from the second level on, as a JSON
 * Pointer (`/uplink_message/received_at`, RFC 6901); `""` is the payload itself.
 *
 * @module
 */
import type { AckLevel } from "./readings_frame.ts";
import type { TimestampFormat } from "./timestamp.ts";
import { timestampFormats } from "./timestamp.ts";
import { ackLevels } from "./readings_frame.ts";

/** One route of the configuration. See {@linkcode routeSchema} for what each option means. */
export interface RouteConfig {
  readonly name: string;
  readonly topic: string;
  readonly device?: string;
  readonly measurement: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly payloadTags?: Readonly<Record<string, string>>;
  readonly fields?: FieldsConfig;
  readonly timestamp?: {
    readonly key: string | readonly string[];
    readonly format?: TimestampFormat;
    readonly zone?: string;
  };
  readonly sequence?: string;
  readonly identity?: { readonly key: string; readonly equals: string };
  readonly schema?: boolean | Readonly<Record<string, unknown>>;
  readonly unparsable?: "dead_letter" | "ignore";
  readonly ack?: AckLevel;
  readonly module?: string;
  /** Built-in routes only: the placeholder of the topic that is the key of a series. */
  readonly series?: string;
}

/** Which values of a payload become fields. */
export interface FieldsConfig {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly from?: readonly string[];
  readonly flatten?: boolean;
  readonly arrays?: Readonly<Record<string, readonly string[]>>;
  readonly booleans?: "omit" | "number" | "boolean";
  readonly strings?: "omit" | "number" | "text";
  readonly bare?: string;
}

const text = (description: string) => ({ type: "string", minLength: 1, description });
const texts = (description: string) => ({
  type: "array",
  items: { type: "string", minLength: 1 },
  description,
});
const place = (description: string) => ({ type: "string", description });

/** JSON Schema (draft-07) of one route. */
export const routeSchema = {
  type: "object",
  required: ["name", "topic", "measurement"],
  additionalProperties: false,
  properties: {
    name: text("Names the route in logs, errors and metrics."),
    topic: text(
      "Topic filter with placeholders: {location}/{station}, v3/{app}@ttn/devices/{device}/up; also + and #. The first route that matches wins, configured ones before built-in ones.",
    ),
    device: text("Device id. Default: the topic's placeholders joined by ~."),
    measurement: text(
      "Measurement. {metric} stands for the field's name: then each field is a point of its own, with the field `value`.",
    ),
    tags: {
      type: "object",
      additionalProperties: { type: "string" },
      description: "Tags made of the topic's placeholders and {gateway}.",
    },
    payloadTags: {
      type: "object",
      additionalProperties: { type: "string" },
      description:
        "Tags taken from the payload: tag key to place. A tag without a value is left out.",
    },
    fields: {
      type: "object",
      additionalProperties: false,
      description: "Which values become fields. Default: every finite number at the top.",
      properties: {
        include: texts("Names that become fields; one * in a name stands for anything."),
        exclude: texts("Names that do not; wins over include."),
        from: {
          type: "array",
          minItems: 1,
          items: place("A place in the payload."),
          description: 'Objects whose members become fields. Default: [""], the payload itself.',
        },
        flatten: {
          type: "boolean",
          default: false,
          description: "Members of inner objects become fields too, keys joined by _.",
        },
        arrays: {
          type: "object",
          additionalProperties: { type: "array", items: { type: "string", minLength: 1 } },
          description: "Arrays whose numbers become fields: place to names, in order.",
        },
        booleans: { enum: ["omit", "number", "boolean"], default: "omit" },
        strings: {
          enum: ["omit", "number", "text"],
          default: "omit",
          description: "number: a string that holds a number is that number.",
        },
        bare: text(
          "Field that a payload of one bare value becomes, for example value or {property}.",
        ),
      },
    },
    timestamp: {
      type: "object",
      required: ["key"],
      additionalProperties: false,
      description: "Where the time of the reading is. Without one, the time of arrival counts.",
      properties: {
        key: {
          anyOf: [
            { type: "string" },
            { type: "array", items: { type: "string" }, minItems: 1 },
          ],
          description: "Place of the time; of several the first that is there.",
        },
        format: { enum: timestampFormats, default: "auto" },
        zone: text("IANA zone of times without an offset. Without one such times are refused."),
      },
    },
    sequence: place("Place of a number that the device counts up, to tell a repeated reading."),
    identity: {
      type: "object",
      required: ["key", "equals"],
      additionalProperties: false,
      description: "What the payload must say of itself, else it is a dead letter.",
      properties: { key: place("Place in the payload."), equals: text("What must stand there.") },
    },
    schema: {
      type: ["object", "boolean"],
      description: "JSON Schema (draft-07) of the payload; one that does not fit is a dead letter.",
    },
    unparsable: {
      enum: ["dead_letter", "ignore"],
      default: "dead_letter",
      description: "What becomes of payloads that are no JSON object.",
    },
    ack: {
      enum: ackLevels,
      description: "When a reading is acknowledged: on the spool's disk, or in the store.",
    },
    module: text("File or URL of a module with code for these devices (see docs)."),
  },
} as const;
