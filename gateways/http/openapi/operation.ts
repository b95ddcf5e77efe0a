/**
 * What one row of the table of operations says: from it a request is routed and permitted, and the
 * OpenAPI document is made.
 *
 * @module
 */
import type { Asked } from "../../auth/api_guard.ts";
import type { ProblemType } from "../problem.ts";

/** JSON Schema 2020-12, as OpenAPI 3.1 has it. */
export type Schema = Readonly<Record<string, unknown>>;

/**
 * Who may use an operation where accounts are required.
 *
 * - `open`: everybody, without a token
 * - `connection`: everybody; the protocol that begins asks who it is
 * - `admin`, `operator`, `reader`: that role, or one above it
 * - `device`: a reader, or who may read the one device that is asked for
 * - `sender`: every account; each reading is held to its topic
 * - `topic-read`, `topic-write`: who may subscribe to the topic, or publish it
 */
export type Access = "open" | "connection" | Asked;

export type Method = "GET" | "PUT" | "POST" | "PATCH" | "DELETE";

/** A parameter; with `rest` it is the end of the path, slashes included. */
export interface Parameter {
  readonly in: "path" | "query" | "header";
  readonly name: string;
  readonly doc: string;
  readonly schema: Schema;
  readonly rest?: true;
}

/** A body in one media type. */
export interface Content {
  readonly schema: Schema;
  readonly example?: unknown;
  /** Of Server-Sent Events: the schema of each one's data, by its name. */
  readonly events?: Readonly<Record<string, Schema>>;
}

type Contents = Readonly<Record<string, Content>>;

export interface Answer {
  readonly status: number;
  readonly doc: string;
  /** By media type; none when there is no body. */
  readonly content?: Contents;
  /** Headers of its own → what they say; one whose name ends in `?` may be missing. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** See the module. */
export interface Operation {
  readonly method: Method;
  /** A template: `/api/devices/{id}`. It has one parameter at most. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly doc?: string;
  readonly access: Access;
  /**
   * Who is answered though banned. `address`: everybody, for a ban must not have an orchestrator end
   * the service; `admin`: an admin, for nobody else might be there to lift it.
   */
  readonly spares?: "address" | "admin";
  readonly parameters?: readonly Parameter[];
  readonly body?: { readonly required: boolean; readonly content: Contents };
  readonly answers: readonly Answer[];
  /** Besides those that follow from the rest. */
  readonly problems?: readonly ProblemType[];
}

/** A table whose names are known to the compiler, so that none is without its handler. */
export const table = <Id extends string>(
  operations: Readonly<Record<Id, Operation>>,
): Readonly<Record<Id, Operation>> => operations;

export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** An answer 200 in JSON. */
export const json = (doc: string, schema: Schema): Answer => ({
  status: 200,
  doc,
  content: { "application/json": { schema } },
});

export const noContent = (doc: string): Answer => ({ status: 204, doc });

export const query = (name: string, doc: string, schema: Schema = text): Parameter => ({
  in: "query",
  name,
  doc,
  schema,
});

export const header = (name: string, doc: string, schema: Schema = text): Parameter => ({
  in: "header",
  name,
  doc,
  schema,
});

export const text: Schema = { type: "string" };
export const integerFrom = (minimum: number, maximum?: number): Schema => ({
  type: "integer",
  minimum,
  ...(maximum === undefined ? {} : { maximum }),
});

/** The parameters of a list. */
export const page: readonly Parameter[] = [
  query("limit", "Items of a page.", { ...integerFrom(1, 1_000), default: 100 }),
  query("cursor", "The `next` of the page before."),
];
