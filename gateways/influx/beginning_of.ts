/**
 * The body of an answer, as far as anybody wants to read it.
 *
 * @module
 */
import { concatBytes } from "../../actors/concat_bytes.ts";

/** InfluxDB 3 names every line that it refuses; its first words say what happened. */
export const answerBytesMax = 64 * 1024;

/** The text of a body, at most {@linkcode answerBytesMax} of it; what follows is not read. */
export async function beginningOf({ body }: Response): Promise<string> {
  if (body === null) return "";
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = body.getReader();
  while (bytes < answerBytesMax) {
    const { value, done } = await reader.read();
    if (done) break;
    parts.push(value.subarray(0, answerBytesMax - bytes));
    bytes += value.length;
  }
  // Of one that has ended this does nothing; the connection of another ends.
  await reader.cancel().catch(() => {});
  return new TextDecoder().decode(concatBytes(parts));
}
