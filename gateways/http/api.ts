/**
 * The resources under `/api`.
 *
 * @module
 */
import { AskError } from "../../runtime/ask.ts";
import { isTexts } from "../../runtime/fields.ts";
import { reachedAt } from "../auth/endpoints.ts";
import {
  type Control,
  type DeadLetterQuery,
  type Presence,
  presences,
  type ReplayChoice,
} from "./control.ts";
import type { HttpParts } from "./app.ts";
import type { Handlers } from "./handler.ts";
import { openApiDocument } from "./openapi/document.ts";
import type { historyOperations } from "./openapi/operations/readings.ts";
import type { serviceOperations } from "./openapi/operations/service.ts";
import { Problem } from "./problem.ts";
import { jsonBody } from "./json_body.ts";
import { integer, invalidParameter, pageParameters, pageQuery, parametersOf } from "./request.ts";
import {
  actorJson,
  deadLetterJson,
  deviceJson,
  pageJson,
  refusedTopicsJson,
  statusJson,
} from "./views.ts";

export function apiHandlers(
  control: Control,
  { clock, counters }: Pick<HttpParts, "clock" | "counters">,
): Handlers<typeof serviceOperations & typeof historyOperations> {
  return {
    getHealth: (context) => context.text("ok\n"),

    getReadiness: async (context) => {
      const reasons = await control.notReady();
      if (reasons.length === 0) return context.text("ready\n");
      throw new Problem("not-ready", reasons.join("; "), { reasons });
    },

    getMetrics: async (context) => {
      const { service } = control;
      // Loaded with the first scrape: a start is faster by what prom-client takes.
      const { metricsText, metricsType, processUse } = await import("./metrics.ts");
      const text = await metricsText(service, await control.snapshot(), processUse(), counters?.());
      return context.body(text, 200, { "content-type": metricsType });
    },

    getOpenApi: (context) => {
      parametersOf(context.req.url, []);
      return context.json(openApiDocument(control.service.version));
    },

    getStatus: async (context) => {
      parametersOf(context.req.url, []);
      const { hostname } = new URL(context.req.url);
      const endpoints = control.service.endpoints.map((url) => reachedAt(url, hostname));
      const service = { ...control.service, endpoints };
      return context.json(statusJson(service, await control.snapshot(), clock.now()));
    },

    getDevices: async (context) => {
      const allowed = [...pageParameters, "presence", "prefix", "contains"];
      const parameters = parametersOf(context.req.url, allowed);
      const presence = presenceOf(parameters.get("presence"));
      const idPrefix = parameters.get("prefix");
      const idPart = parameters.get("contains");
      const page = await control.devices({
        ...pageQuery(parameters),
        ...(presence === undefined ? {} : { presence }),
        ...(idPrefix === undefined ? {} : { idPrefix }),
        ...(idPart === undefined ? {} : { idPart }),
      });
      return context.json(pageJson(page, deviceJson));
    },

    // The id of a device may contain slashes, written as they are or as %2F.
    getDevice: async (context) => {
      parametersOf(context.req.url, []);
      const id = context.req.param("id") ?? "";
      const device = await control.device(id);
      if (device === undefined) throw new Problem("not-found", await unknownDevice(control, id));
      return context.json(deviceJson(device));
    },

    getReadings: async (context) => {
      const parameters = parametersOf(context.req.url);
      const answer = await control.readings(parameters);
      switch (answer.kind) {
        case "page": {
          const device = parameters.get("device") ?? "";
          const isNothing = answer.page.items.length === 0 && device !== "";
          const hint = isNothing ? await hintOf(control, device) : undefined;
          return context.json(hint === undefined ? answer.page : { ...answer.page, hint });
        }
        case "invalid": {
          const detail = answer.problems.map((one) => `${one.parameter}: ${one.message}`);
          throw new Problem("invalid-parameter", detail.join("; "), { errors: answer.problems });
        }
        case "elsewhere":
          throw new Problem("history-elsewhere", answer.detail);
        case "failed":
          throw new Problem(answer.damaged ? "history-damaged" : "unavailable", answer.reason);
        default:
          return answer satisfies never;
      }
    },

    getActors: async (context) => {
      const parameters = parametersOf(context.req.url, ["under", "children"]);
      const childrenMax = integer(parameters, "children", { default: 50, min: 1, max: 10_000 });
      const under = parameters.get("under");
      const tree = await control.actors(
        under === undefined ? { childrenMax } : { under, childrenMax },
      );
      if (tree === undefined) throw new Problem("not-found", `no actor ${JSON.stringify(under)}`);
      return context.json(actorJson(tree));
    },

    getDeadLetters: async (context) => {
      const page = await control.deadLetters(deadLetterQuery(context.req.url));
      return context.json(pageJson(page, deadLetterJson));
    },

    getRefusedTopics: async (context) => {
      parametersOf(context.req.url, []);
      return context.json(refusedTopicsJson(await control.refusedTopics()));
    },

    replayDeadLetters: async (context) => {
      parametersOf(context.req.url, []);
      const choice = replayChoice(await jsonBody(context.req.raw));
      return context.json(await control.replayDeadLetters(choice));
    },
  };
}

/** Why there are no readings of a device: that nobody has heard of it, if so. */
async function hintOf(control: Control, id: string): Promise<string | undefined> {
  try {
    if (await control.device(id) !== undefined) return undefined;
    // One that was forgotten may have a history still.
    const ever = await control.readings(new Map([["device", id], ["limit", "1"]]));
    const isUnknown = ever.kind === "page" && ever.page.items.length === 0;
    return isUnknown ? await unknownDevice(control, id) : undefined;
  } catch (error) {
    if (error instanceof AskError) return undefined; // A shard is away: it may know the device.
    throw error;
  }
}

/** Says so, and which id was meant, if the one given is a topic. */
async function unknownDevice(control: Control, id: string): Promise<string> {
  const ofTopic = id.replaceAll("/", "~");
  const isTopic = ofTopic !== id && await control.device(ofTopic) !== undefined;
  const hint = isTopic
    ? `did you mean ${JSON.stringify(ofTopic)}?`
    : "GET /api/devices?contains=… finds ids";
  return `no device ${JSON.stringify(id)}; ${hint}`;
}

function presenceOf(text: string | undefined): Presence | undefined {
  if (text === undefined) return undefined;
  const presence = presences.find((one) => one === text);
  if (presence === undefined) {
    throw invalidParameter("presence", `must be one of ${presences.join(", ")}`);
  }
  return presence;
}

/** `reason` and `cursor` go with the oldest first only. */
function deadLetterQuery(url: string): DeadLetterQuery {
  const parameters = parametersOf(url, [...pageParameters, "reason", "sort"]);
  const reason = parameters.get("reason");
  const query = pageQuery(parameters);
  switch (parameters.get("sort")) {
    case undefined:
    case "asc":
      return reason === undefined ? query : { ...query, reason };
    case "desc":
      if (reason === undefined && query.after === undefined) return { ...query, newestFirst: true };
      throw invalidParameter("sort", "desc goes with neither reason nor cursor");
    default:
      throw invalidParameter("sort", "must be asc or desc");
  }
}

/** `{"reason": …}` or `{"ids": […]}`; nothing at all means all of them. */
function replayChoice(body: unknown): ReplayChoice {
  const refuse = (what: string): Problem =>
    new Problem("invalid-body", `${what}; send {"reason": text}, {"ids": [text]} or no body`);
  if (body === undefined) return {};
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw refuse("the body must be an object");
  }
  const { reason, ids, ...others } = { reason: undefined, ids: undefined, ...body };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw refuse(`unknown key ${JSON.stringify(unknown)}`);
  if (reason !== undefined && ids !== undefined) throw refuse("reason and ids exclude each other");
  if (isText(reason)) return { reason };
  if (isTexts(ids)) return { ids };
  if (reason !== undefined) throw refuse("reason must be a text");
  if (ids !== undefined) throw refuse("ids must be a list of texts");
  return {};
}

const isText = (value: unknown): value is string => typeof value === "string";
