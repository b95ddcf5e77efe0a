/**
 * `/api/quarantine`: devices whose code crashed again and again, and another chance for them.
 *
 * @module
 */
import type { Clock } from "../../runtime/clock.ts";
import { tokenOf } from "../auth/api_guard.ts";
import type { TokenGate } from "../auth/token_gate.ts";
import type { Log } from "../log/log.ts";
import type { Control } from "./control.ts";
import type { Handlers } from "./handler.ts";
import type { quarantineOperations } from "./openapi/operations/quarantine.ts";
import { Problem } from "./problem.ts";
import { pageParameters, pageQuery, parametersOf } from "./request.ts";
import { deviceJson, pageJson } from "./views.ts";

export interface QuarantineParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Knows who asks, for the log; whether they may was decided before. */
  readonly gate: Pick<TokenGate, "admit"> | undefined;
}

export function quarantineHandlers(
  control: Pick<Control, "devices" | "release">,
  { clock, log, gate }: QuarantineParts,
): Handlers<typeof quarantineOperations> {
  const nameOf = async (headers: Headers): Promise<string | undefined> => {
    const token = tokenOf(headers);
    const claims = token === undefined ? undefined : await gate?.admit(token, clock.now());
    return typeof claims === "object" ? claims.name : undefined;
  };
  return {
    getQuarantine: async (context) => {
      const parameters = parametersOf(context.req.url, [...pageParameters, "prefix"]);
      const idPrefix = parameters.get("prefix") ?? "";
      const page = await control.devices({
        ...pageQuery(parameters),
        idPrefix,
        quarantined: true,
      });
      return context.json(pageJson(page, deviceJson));
    },

    releaseDevice: async (context) => {
      parametersOf(context.req.url, []);
      const id = context.req.param("id") ?? "";
      const device = JSON.stringify(id);
      const by = await nameOf(context.req.raw.headers);
      const release = await control.release(id);
      switch (release) {
        case "released":
          log.info("a device was released from quarantine", {
            device: id,
            ...(by === undefined ? {} : { by }),
          });
          return new Response(null, { status: 204 });
        case "not_quarantined":
          throw new Problem(
            "not-quarantined",
            `the device ${device} is not quarantined; GET /api/quarantine lists those that are`,
          );
        case "unknown":
          throw new Problem("not-found", `no device ${device}`);
        default:
          return release satisfies never;
      }
    },
  };
}
