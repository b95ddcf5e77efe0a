/**
 * Requests of a machine that has another address, of the loopback network.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { request } from "node:http";

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks from `localAddress`, over a connection of its own. */
export function fetchFrom(
  localAddress: string,
  url: string,
  { method = "GET", headers = {} }: Asked = {},
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, localAddress, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          text: Buffer.concat(parts).toString(),
        }));
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}
