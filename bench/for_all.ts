/**
 * The same work on many items, as for clients that connect.
 *
 * @module
 */

const atOnce = 50;

/** `work` on all items, some of them at a time. */
export async function forAll<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const some = async () => {
    while (next < items.length) {
      const index = next++;
      await work(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, some));
}
