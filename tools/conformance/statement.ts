/**
 * A normative statement, and why no test of it is asked for, where none is.
 *
 * @module
 */

/** There is nothing to test. */
export interface Mark {
  readonly why: string;
}

/** Number without `MQTT-`, what it says in our own words, and why no test shows it. */
export type Statement = readonly [number: string, says: string, mark?: Mark];

/** There is nothing to test. */
export const notShown = (why: string): Mark => ({ why });
