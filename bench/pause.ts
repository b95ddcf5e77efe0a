/**
 * Waiting for what other processes do.
 *
 * @module
 */

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** Calls `check` every `everyMs` until it answers true; throws after `deadlineMs`. */
export async function poll(
  what: string,
  check: () => boolean | Promise<boolean>,
  { everyMs = 20, deadlineMs = 120_000 } = {},
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!await check()) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await pause(everyMs);
  }
}
