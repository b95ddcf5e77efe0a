/**
 * What answers an operation of the control plane.
 *
 * @module
 */
import type { Context } from "hono";

export type Handler = (context: Context) => Response | Promise<Response>;

/** One for each operation of a table. */
export type Handlers<Table> = Readonly<Record<keyof Table, Handler>>;
