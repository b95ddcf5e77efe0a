/**
 * A WebSocket out of the request that asks for it.
 *
 * @module
 */
import { Problem } from "../../http/problem.ts";
import type { TakeOver } from "../../http/callers.ts";
import { handshakeAnswer } from "./handshake.ts";
import { ServerSocket, type ServerSocketOptions } from "./server_socket.ts";

/**
 * Takes the request's connection over and opens a WebSocket on it.
 *
 * @throws {Problem} when the request is not as it must be.
 */
export function openSocket(
  request: Request,
  takeOver: TakeOver = () => undefined,
  options: ServerSocketOptions,
  protocol?: string,
): ServerSocket {
  const answer = handshakeAnswer(request, protocol);
  const connection = takeOver();
  if (connection === undefined) {
    throw new Problem("invalid-header", "a WebSocket's client waits for the answer, then sends");
  }
  return new ServerSocket(connection, answer, options);
}
