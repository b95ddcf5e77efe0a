/**
 * Numbers as JSON writes them.
 *
 * @module
 */

const pattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Whether a text is one, and nothing beside it. */
export const isJsonNumber = (text: string): boolean => pattern.test(text);
