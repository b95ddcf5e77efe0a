/**
 * What a client is told that is cut off before its request could be parsed.
 *
 * @module
 */
import { Problem, problemText } from "../problem.ts";

const encoder = new TextEncoder();

/** Why a connection ends → what is said. The others end without a word. */
const problems: Readonly<Record<string, Problem>> = {
  slow_head: new Problem("head-too-slow", "send the head of a request at once"),
  large_head: new Problem("head-too-large", "send shorter headers, and a shorter path"),
  http2: new Problem("version-not-supported", "HTTP/1.1 is spoken here"),
  plaintext: new Problem("tls-required", "ask for https:// (wss://) at this address"),
};

/** The last answer of a connection, as bytes; `undefined` when there is none. */
export function farewell(why: string): Uint8Array<ArrayBuffer> | undefined {
  const problem = Object.hasOwn(problems, why) ? problems[why] : undefined;
  if (problem === undefined) return undefined;
  const { status, title, body } = problemText(problem);
  const head = `HTTP/1.1 ${status} ${title}\r\nConnection: close\r\n` +
    "Content-Type: application/problem+json\r\nCache-Control: no-store\r\n" +
    `Content-Length: ${encoder.encode(body).length}\r\n\r\n`;
  return encoder.encode(head + body);
}
