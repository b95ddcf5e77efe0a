/**
 * An HTTP server on a free loopback port that answers as a test says.
 *
 * @module
 */

/** Runs `body` with the server's URL and stops it after. */
export async function withServer(
  answer: (request: Request) => Response,
  body: (url: string) => Promise<void>,
): Promise<void> {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, answer);
  try {
    await body(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}
