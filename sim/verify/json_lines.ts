/**
 * Asks a store over HTTP, and reads answers of one JSON value a line as they arrive.
 *
 * @module
 */
import { CommandError, exitCodes } from "../exit_code.ts";

/** How a store is reached. */
export interface StoreAccess {
  /** Knows the certificate authorities that were named. */
  readonly client?: Deno.HttpClient | undefined;
  /** Of `Authorization`. */
  readonly authorization?: string | undefined;
}

/** Throws a `CommandError` unless the store answers 200. `store` names it in errors. */
export async function ask(
  store: string,
  url: URL,
  { client, authorization }: StoreAccess = {},
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, {
      ...(client === undefined ? {} : { client }),
      ...(authorization === undefined ? {} : { headers: { authorization } }),
    });
  } catch (cause) {
    const why = cause instanceof Error ? String(cause.cause ?? cause.message) : String(cause);
    throw new CommandError(exitCodes.unavailable, `${store} cannot be reached: ${why}`, { cause });
  }
  if (response.ok) return response;
  const text = (await response.text()).slice(0, 500);
  if (response.status === 501) {
    const message = `${store} keeps no history of its own: give --store victoriametrics or ` +
      `influxdb, and its --url`;
    throw new CommandError(exitCodes.unavailable, message);
  }
  throw new CommandError(exitCodes.unavailable, `${store} answers ${response.status}: ${text}`);
}

/** The lines of a body that are not empty, parsed. */
export async function* jsonLines(response: Response): AsyncIterable<unknown> {
  if (response.body === null) return;
  let rest = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line);
  }
  if (rest.trim() !== "") yield JSON.parse(rest);
}

export function unexpected(store: string, value: unknown): CommandError {
  const text = JSON.stringify(value)?.slice(0, 200);
  return new CommandError(exitCodes.unavailable, `${store} answers something else: ${text}`);
}
