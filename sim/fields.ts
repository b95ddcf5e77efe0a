/**
 * A first look at a value that was read as JSON: an object has fields, each still to be checked.
 *
 * @module
 */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null;
