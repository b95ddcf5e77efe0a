/**
 * A normative statement, and why no test of it is asked for, where none is.
 *
 * @module
 */

/** `open`: a test is missing. `no test`: there is nothing to test. */
export interface Mark {
  readonly kind: "open" | "no test";
  readonly why: string;
}

/** Number without `MQTT-`, what it says in our own words, and why no test shows it. */
export type Statement = readonly [number: string, says: string, mark?: Mark];

/** There is nothing to test. */
export const notShown = (why: string): Mark => ({ kind: "no test", why });

/** A test is missing. */
export const open = (why: string): Mark => ({ kind: "open", why });

export const sessions: Mark = open("kept sessions have tests that do not name it yet");
