/**
 * Which topic filters a broker connection subscribes to, and what a kept session must give up when
 * they change: a persistent session otherwise goes on delivering what nobody wants any more.
 *
 * @module
 */

/** The filters as they are sent: shared ones carry `$share/group/` (MQTT 5, section 4.8.2). */
export function wireFilters(filters: readonly string[], share: string | undefined): string[] {
  const unique = [...new Set(filters)].sort();
  return share === undefined ? unique : unique.map((filter) => `$share/${share}/${filter}`);
}

/** What to say to the broker so that its session has exactly `wanted`. */
export function subscriptionChange(
  had: readonly string[],
  wanted: readonly string[],
): { readonly subscribe: string[]; readonly unsubscribe: string[] } {
  return {
    subscribe: [...wanted],
    unsubscribe: had.filter((filter) => !wanted.includes(filter)),
  };
}

/** Remembers, over restarts, what a session subscribed to. */
export interface SubscriptionMemory {
  load(clientId: string): string[];
  save(clientId: string, filters: readonly string[]): void;
}

/** Keeps it in one small JSON file per client id, replaced as a whole. */
export function subscriptionFiles(directory: string): SubscriptionMemory {
  const file = (clientId: string) => `${directory}/${encodeURIComponent(clientId)}.json`;
  return {
    load(clientId) {
      let text: string;
      try {
        text = Deno.readTextFileSync(file(clientId));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return [];
        throw error;
      }
      const parsed: unknown = JSON.parse(text);
      return Array.isArray(parsed) ? parsed.filter((filter) => typeof filter === "string") : [];
    },
    save(clientId, filters) {
      Deno.mkdirSync(directory, { recursive: true });
      const temporary = `${file(clientId)}.new`;
      Deno.writeTextFileSync(temporary, JSON.stringify(filters));
      Deno.renameSync(temporary, file(clientId));
    },
  };
}
