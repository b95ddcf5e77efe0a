/**
 * `POST /api/stations/{name}/commands`: any JSON for a connected station, and what it answers.
 *
 * @module
 */
import type { Stations } from "../websocket/stations.ts";
import { type BodyLimits, boundedBody } from "./body.ts";
import { Problem } from "./problem.ts";
import { parsedJson } from "./json_body.ts";
import { checkJson, parametersOf } from "./request.ts";

const bytesMax = 64 * 1024;

/** `name` is the station's, as the path has it. @throws {Problem} */
export async function commandStation(
  request: Request,
  name: string,
  stations: Pick<Stations, "command">,
  limits: Omit<BodyLimits, "bytesMax">,
): Promise<Response> {
  parametersOf(request.url, []);
  checkJson(request.headers);
  const body = await boundedBody(request, { ...limits, bytesMax });
  try {
    const command = parsedJson(body);
    return Response.json({ result: await stations.command(decoded(name), command) });
  } finally {
    limits.budget?.give(body.length);
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Problem("not-found", "no station has a name that is not UTF-8");
  }
}
