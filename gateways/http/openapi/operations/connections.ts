/**
 * Operations that begin a connection, or use one.
 *
 * @module
 */
import type { ProblemType } from "../../problem.ts";
import { json, type Operation, ref, table, text } from "../operation.ts";

const socket = (
  path: string,
  summary: string,
  doc: string,
  ...problems: readonly ProblemType[]
): Operation => ({
  method: "GET",
  path,
  tag: "connections",
  summary,
  doc,
  access: "connection",
  answers: [{ status: 101, doc: "The connection begins." }],
  problems: [
    "cross-origin",
    "invalid-header",
    "upgrade-required",
    "rate-limited",
    "unavailable",
    ...problems,
  ],
});

/** What stays connected; answered by the HTTP edge. */
export const connectionOperations = table({
  openStation: socket(
    "/ws",
    "WebSocket of a station",
    "docs/websocket.md describes its frames.",
  ),
  openMqtt: socket(
    "/mqtt",
    "MQTT over WebSocket",
    "Sub-protocol `mqtt`. It is 404 while `mqtt.webSocket` is off.",
  ),
  commandStation: {
    method: "POST",
    path: "/api/stations/{name}/commands",
    tag: "connections",
    summary: "Tells a connected station a command",
    access: "operator",
    parameters: [{
      in: "path",
      name: "name",
      doc: "As it said hello; a slash as `%2F`.",
      schema: text,
    }],
    body: {
      required: true,
      content: { "application/json": { schema: {}, example: { restart: true } } },
    },
    answers: [json("What it answered.", ref("CommandResult"))],
    problems: ["not-found", "unavailable"],
  },
});
