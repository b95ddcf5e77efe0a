/**
 * From a payload's bytes to fields, time, sequence and tags, by the rules of one route.
 *
 * @module
 */

/** Decodes the payloads of one route. */
export class PayloadDecoder {}
