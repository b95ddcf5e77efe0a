/**
 * For tests: lets what is under way go on until it waits for something else than the event loop.
 *
 * @module
 */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((done) => setTimeout(done));
}
