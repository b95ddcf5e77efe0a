/**
 * Where a page of readings ended, as the opaque text that the next request gives back.
 *
 * @module
 */

/** A row's place in the order of a result: by time, then by series, then by slot. */
export interface Cursor {
  /** ns since the epoch. */
  readonly time: bigint;
  readonly series: number;
  readonly slot: number;
}

/** Not for people: base64url. */
export function formatCursor({ time, series, slot }: Cursor): string {
  return new TextEncoder().encode(`${time}.${series}.${slot}`)
    .toBase64({ alphabet: "base64url", omitPadding: true });
}

/** `undefined` when it is not one that {@linkcode formatCursor} made. */
export function parseCursor(text: string): Cursor | undefined {
  if (!/^[\w-]{1,80}$/.test(text)) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return undefined; // Not base64: not one of ours, which the caller reports.
  }
  const found = /^(-?\d{1,19})\.(\d{1,15})\.(\d)$/.exec(new TextDecoder().decode(bytes));
  return found === null
    ? undefined
    : { time: BigInt(found[1]!), series: Number(found[2]), slot: Number(found[3]) };
}
