/**
 * Operations on the service itself: how it is, what it could not store.
 *
 * @module
 */
import { refusedTopicsMax } from "../../../../actors/refused_topics.ts";
import { integerFrom, json, type Operation, page, query, ref, table, text } from "../operation.ts";

const tag = "service";
const plain = { "text/plain": { schema: text } };

const file = (path: string, type: string): Operation => ({
  method: "GET",
  path,
  tag: "dashboard",
  summary: path === "/" ? "The dashboard" : "A file of the dashboard",
  access: "open",
  answers: [{ status: 200, doc: "The file.", content: { [type]: { schema: text } } }],
});

/** Files of the dashboard, by their operation. */
export const dashboardOperations = table({
  getDashboard: file("/", "text/html"),
  getDashboardScript: {
    ...file("/dashboard/{script}", "text/javascript"),
    parameters: [{ in: "path", name: "script", doc: "Its name: `page.js`.", schema: text }],
    problems: ["not-found"],
  },
  getDashboardStyle: file("/page.css", "text/css"),
  getDashboardIcon: file("/icon.svg", "image/svg+xml"),
});

/** How the service is. */
export const serviceOperations = table({
  getHealth: {
    method: "GET",
    path: "/healthz",
    tag,
    summary: "Whether the process is alive",
    access: "open",
    spares: "address",
    answers: [{ status: 200, doc: "It is.", content: plain }],
  },
  getReadiness: {
    method: "GET",
    path: "/readyz",
    tag,
    summary: "Whether readings can be taken",
    access: "open",
    spares: "address",
    answers: [{ status: 200, doc: "They can.", content: plain }],
    problems: ["not-ready", "unavailable"],
  },
  getMetrics: {
    method: "GET",
    path: "/metrics",
    tag,
    summary: "Metrics in Prometheus' text format",
    access: "open",
    answers: [{ status: 200, doc: "docs/http.md lists them.", content: plain }],
    problems: ["unavailable"],
  },
  getOpenApi: {
    method: "GET",
    path: "/api/openapi.json",
    tag,
    summary: "This document",
    access: "open",
    answers: [json("OpenAPI 3.1.", { type: "object" })],
  },
  getStatus: {
    method: "GET",
    path: "/api/status",
    tag,
    summary: "The books of all shards together, and what does not change",
    access: "reader",
    answers: [json("The sums.", ref("Status"))],
    problems: ["unavailable"],
  },
  getActors: {
    method: "GET",
    path: "/api/actors",
    tag,
    summary: "The supervision tree",
    access: "reader",
    parameters: [
      query("under", "Path of the actor to begin at."),
      query("children", "So many children of each actor at most, those that failed first.", {
        ...integerFrom(1, 10_000),
        default: 50,
      }),
    ],
    answers: [json("An actor, with all below it.", ref("Actor"))],
    problems: ["not-found", "unavailable"],
  },
  getDeadLetters: {
    method: "GET",
    path: "/api/dead-letters",
    tag: "dead letters",
    summary: "What could not be stored, and why",
    access: "reader",
    parameters: [
      ...page,
      query("reason", "Only those of this reason."),
      query("sort", "asc: oldest first. desc: the newest, without `next`, `cursor` or `reason`.", {
        enum: ["asc", "desc"],
        default: "asc",
      }),
    ],
    answers: [json("A page.", ref("DeadLetterPage"))],
    problems: ["unavailable"],
  },
  getRefusedTopics: {
    method: "GET",
    path: "/api/refused-topics",
    tag,
    summary: "The topics whose readings were refused last",
    doc: "Those that no route takes, or that their sender may not write, since the shards have " +
      `started: the ${refusedTopicsMax} latest. Nothing of them is kept; subscribers may have had them.`,
    access: "reader",
    answers: [json("The latest first.", ref("RefusedTopics"))],
    problems: ["unavailable"],
  },
  replayDeadLetters: {
    method: "POST",
    path: "/api/dead-letters/replay",
    tag: "dead letters",
    summary: "Tries dead letters again",
    doc: "All of them, those of one `reason`, or those of the `ids`: of each shard the oldest " +
      "4,096 at most, or 8 MiB. What fails again is a new letter behind the others.",
    access: "operator",
    body: {
      required: false,
      content: {
        "application/json": { schema: ref("ReplayChoice"), example: { reason: "not_json" } },
      },
    },
    answers: [json("How many have a new fate, and how many are left.", ref("ReplayResult"))],
    problems: ["unavailable"],
  },
});
