/**
 * A first look at a value that comes from elsewhere, as another thread, a file or a token: an object
 * has fields, each of which is still to be checked.
 *
 * @module
 */

/** Nothing is known of what they hold. */
export type Fields = { readonly [key: string]: unknown };

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null;

export const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
