/**
 * A route says which topics it takes and what becomes of their payloads. Here is its compiled form,
 * the one that the path of a reading uses.
 *
 * @module
 */
import type { AckLevel } from "./readings_frame.ts";
import type { PayloadDecoder } from "./decode.ts";
import type { Template, TopicTemplate } from "./route_template.ts";

/** One route, checked and ready. Immutable but for the decoder, which learns the payloads' keys. */
export interface CompiledRoute {
  readonly name: string;
  /** Its place in the table; the first that matches a topic wins. */
  readonly index: number;
  readonly ackLevel: AckLevel;
  readonly topic: TopicTemplate;
  readonly device: Template;
  readonly measurement: Template;
  /** Tags that the topic and the gateway decide, in order of their keys. */
  readonly tags: readonly (readonly [key: string, value: Template])[];
  /** Name of the field that a payload of one bare number becomes. */
  readonly scalar: Template | undefined;
  readonly decoder: PayloadDecoder;
  /** URL of the module with the code of these devices. */
  readonly module: string | undefined;
}
