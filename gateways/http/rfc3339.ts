/**
 * Times as the API says them.
 *
 * @module
 */

/** Of ms since the epoch, in UTC. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString();
