/**
 * How a ref looks in `console.log`, of a dead letter for example: its address, and not the system
 * behind it.
 *
 * @module
 */

/** The method that Deno asks for the text. */
export const shownAs: unique symbol = Symbol.for("Deno.customInspect");

export const shownRef = (ref: { readonly path: string }): string => `ActorRef(${ref.path})`;
