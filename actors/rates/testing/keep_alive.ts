/**
 * Keeps the event loop running: a wait for shared memory to change does not do so by itself.
 *
 * @module
 */
export function keepAlive(): Disposable {
  const timer = setInterval(() => {}, 60_000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
