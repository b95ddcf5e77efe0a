/**
 * How a message is to be published, as the parameters and headers of `PUT` and `POST` say.
 *
 * @module
 */
import { nameHashOf } from "../ingest/post_readings.ts";
import { Problem } from "../problem.ts";
import { integer, invalidParameter, parametersOf } from "../request.ts";
import type { Publication } from "./publish_topic.ts";

const expiryMaxS = 0xffff_ffff;
/** It goes to every subscriber with its message. */
const contentTypeCharsMax = 1_024;

export interface PublishOrder extends Omit<Publication, "topic" | "payload" | "account"> {
  /** Whether a reading is made of it. */
  readonly asReading: boolean;
}

/** @param retain unless the request says otherwise. @throws {Problem} */
export function publishOrder({ url, headers }: Request, retain: boolean): PublishOrder {
  const parameters = parametersOf(url, ["qos", "retain", "expires", "reading"]);
  const expires = { default: 0, min: 1, max: expiryMaxS };
  return {
    qos: qosOf(integer(parameters, "qos", { default: 1, min: 0, max: 2 })),
    retain: boolean(parameters, "retain", retain),
    asReading: boolean(parameters, "reading", true),
    properties: {
      ...contentTypeOf(headers.get("content-type")),
      ...(parameters.has("expires")
        ? { messageExpiryIntervalS: integer(parameters, "expires", expires) }
        : {}),
    },
    nameHash: nameHashOf(headers.get("idempotency-key")),
  };
}

const qosOf = (value: number): 0 | 1 | 2 => value === 0 ? 0 : value === 1 ? 1 : 2;

function boolean(parameters: ReadonlyMap<string, string>, name: string, without: boolean): boolean {
  const text = parameters.get(name);
  if (text === undefined) return without;
  if (text === "true" || text === "false") return text === "true";
  throw invalidParameter(name, "must be true or false");
}

/**
 * What a client says of the body; a form is what many say when nobody has told them.
 *
 * @throws {Problem} `invalid-header` when it says too much.
 */
function contentTypeOf(type: string | null): { readonly contentType?: string } {
  if (type === null || /^application\/x-www-form-urlencoded\b/i.test(type)) return {};
  if (type.length > contentTypeCharsMax) {
    throw new Problem(
      "invalid-header",
      `Content-Type has ${type.length} characters; ${contentTypeCharsMax} go with a message at most`,
    );
  }
  return { contentType: type };
}
