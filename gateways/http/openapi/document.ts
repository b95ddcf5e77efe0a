/**
 * The OpenAPI document: the table of operations in the words of OpenAPI 3.1.
 *
 * Source: https://spec.openapis.org/oas/v3.1.1.html
 *
 * @module
 */
import { sessionCookie } from "../../auth/login.ts";
import { problemHeaders, problemStatus, type ProblemType } from "../problem.ts";
import type { Access, Answer, Content, Operation, Schema } from "./operation.ts";
import { ref } from "./operation.ts";
import { operations } from "./resources.ts";
import { schemas } from "./schemas.ts";

type Json = Readonly<Record<string, unknown>>;

const permissions: Readonly<Record<Access, string>> = {
  open: "Nobody is asked for a token.",
  connection: "Who it is the protocol asks that begins.",
  admin: "Role `admin`, also where accounts are not required.",
  operator: "Role `operator` or `admin`.",
  reader: "Role `reader`, `operator` or `admin`.",
  device: "Role `reader`, `operator` or `admin`; or the device that is asked for is granted.",
  sender: "Every account; each reading is held to the topics that may be written.",
  "topic-read": "Whoever may subscribe to the topic.",
  "topic-write": "Whoever may publish to the topic.",
};

/** What an operation may be answered beside what it says itself. */
export function problemsOf(operation: Operation): ProblemType[] {
  const { access, method, body, parameters = [], problems = [], spares } = operation;
  const encoded = parameters.some(({ name }) => name === "Content-Encoding");
  const json = operation.answers.some(({ content }) => content !== undefined) &&
    operation.path.startsWith("/api/");
  return [
    ...problems,
    ...(operation.path.startsWith("/api/") ? ["invalid-parameter" as const] : []),
    ...(access === "open" || access === "connection"
      ? []
      : ["unauthorized" as const, "forbidden" as const, "unavailable" as const]),
    ...(method === "GET" ? [] : ["cross-origin" as const]),
    ...(json ? ["not-acceptable" as const] : []),
    ...(body === undefined ? [] : [
      "invalid-body" as const,
      "body-too-large" as const,
      "body-too-slow" as const,
    ]),
    ...(body === undefined || ("*/*" in body.content && !encoded)
      ? []
      : ["unsupported-media-type" as const]),
    ...(spares === "address" ? [] : ["banned" as const]),
    "internal",
  ];
}

function problemAnswers(operation: Operation): Json {
  const byStatus = Map.groupBy(new Set(problemsOf(operation)), (type) => problemStatus(type));
  return Object.fromEntries(
    [...byStatus].sort(([a], [b]) => a - b).map(([status, types]) => [status, {
      description: types.map((type) => `\`${type}\``).join(", "),
      headers: Object.fromEntries(
        types.flatMap(problemHeaders).map((name) => [name, { schema: { type: "string" } }]),
      ),
      content: {
        "application/problem+json": {
          schema: {
            type: "object",
            allOf: [ref("Problem")],
            properties: { type: { enum: types.map((type) => `urn:sluice:problem:${type}`) } },
          },
        },
      },
    }]),
  );
}

function mediaType({ schema, example, events }: Content): Json {
  return {
    schema,
    ...(example === undefined ? {} : { example }),
    ...(events === undefined ? {} : { "x-events": events }),
  };
}

const contentOf = (content: Readonly<Record<string, Content>>): Json =>
  Object.fromEntries(Object.entries(content).map(([type, one]) => [type, mediaType(one)]));

function answerOf({ doc, content, headers = {} }: Answer): Json {
  return {
    description: doc,
    ...(Object.keys(headers).length === 0 ? {} : {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, description]) => [name.replace(/\?$/, ""), {
          description,
          required: !name.endsWith("?"),
          schema: { type: "string" },
        }]),
      ),
    }),
    ...(content === undefined ? {} : { content: contentOf(content) }),
  };
}

function operationOf(id: string, operation: Operation): Json {
  const { tag, summary, doc, access, parameters = [], body, answers } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [doc, permissions[access]].filter((part) => part !== undefined).join("\n\n"),
    ...(access === "open" || access === "connection"
      ? {}
      : { security: [{ bearer: [access] }, { cookie: [access] }] }),
    ...(parameters.length === 0 ? {} : {
      parameters: parameters.map(({ name, doc, schema, ...parameter }) => ({
        in: parameter.in,
        name,
        description: doc,
        ...(parameter.in === "path" ? { required: true } : {}),
        schema,
      })),
    }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: body.required, content: contentOf(body.content) } }),
    responses: {
      ...Object.fromEntries(answers.map((answer) => [answer.status, answerOf(answer)])),
      ...problemAnswers(operation),
    },
  };
}

/** The document. `version` is the program's. */
export function openApiDocument(version: string): Json & { readonly paths: Json } {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [id, operation] of Object.entries(operations)) {
    const path = paths[operation.path] ??= {};
    path[operation.method.toLowerCase()] = operationOf(id, operation);
  }
  return {
    openapi: "3.1.1",
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    info: {
      title: "Sluice",
      version,
      summary: "Takes readings from devices and stores them as time series.",
      description: "`HEAD` works wherever `GET` does, `OPTIONS` tells the methods of a resource. " +
        "Every error is `application/problem+json`. Where accounts are required " +
        "(`auth.required`), what has security here asks for a token; elsewhere only what is an " +
        "admin's does.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        cookie: { type: "apiKey", in: "cookie", name: sessionCookie },
      },
      schemas: schemas satisfies Readonly<Record<string, Schema>>,
    },
  };
}
