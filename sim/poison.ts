/**
 * Messages that are broken on purpose.
 *
 * @module
 */

/** Whether message number `counter` of a device is; `every` 0: none. */
export function isPoison(every: number, counter: number): boolean {
  return every > 0 && counter % every === every - 1;
}
