/**
 * What a session at a broker subscribed to, in one small JSON file per client id.
 *
 * A file that cannot be read, or written, costs only what it is for: topics that are no longer
 * wanted may go on coming.
 *
 * @module
 */
import { replaceFile } from "../../files/replace_file.ts";
import type { SubscriptionMemory } from "./subscriptions.ts";

/** @param failed hears of each file that could not be read or written, and why. */
export function subscriptionFiles(
  directory: string,
  failed: (action: string, cause: unknown) => void,
): SubscriptionMemory {
  const file = (clientId: string) => `${directory}/${encodeURIComponent(clientId)}.json`;
  return {
    load(clientId) {
      try {
        return filtersIn(Deno.readTextFileSync(file(clientId)));
      } catch (cause) {
        if (!(cause instanceof Deno.errors.NotFound)) failed(`read ${file(clientId)}`, cause);
        return [];
      }
    },
    save(clientId, filters) {
      try {
        Deno.mkdirSync(directory, { recursive: true });
        replaceFile(file(clientId), JSON.stringify(filters));
      } catch (cause) {
        failed(`write ${file(clientId)}`, cause);
      }
    },
  };
}

function filtersIn(text: string): string[] {
  const parsed: unknown = JSON.parse(text);
  if (Array.isArray(parsed) && parsed.every((filter) => typeof filter === "string")) return parsed;
  throw new TypeError("it is no list of topic filters");
}
