/**
 * What nobody caught in a thread: for its owner to end in order, where the process would end at once.
 *
 * @module
 */

/** Tells of every error and rejection of that scope that nobody caught. */
export function onUncaught(
  scope: Pick<EventTarget, "addEventListener">,
  told: (cause: unknown) => void,
): void {
  const uncaught = (event: Event): void => {
    event.preventDefault(); // Else it ends the process.
    told(causeOf(event));
  };
  scope.addEventListener("error", uncaught);
  scope.addEventListener("unhandledrejection", uncaught);
}

function causeOf(event: Event): unknown {
  if (event instanceof PromiseRejectionEvent) return event.reason;
  if (event instanceof ErrorEvent) return event.error ?? new Error(event.message);
  return new Error(`Cannot tell what went wrong: ${event.type}`);
}
