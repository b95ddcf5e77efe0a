/**
 * What Deno alone makes of clients that connect and go: `bare_connects.ts PORT`. Two Workers on one
 * port accept, read, write four bytes, read the end and close; nothing is parsed and nothing kept.
 * It is the limit of whatever serves such clients on Deno.
 *
 * @module
 */
const threads = 2;
const workerName = "acceptor";
const connack = new Uint8Array([0x20, 2, 0, 0]);

async function serve(connection: Deno.TcpConn): Promise<void> {
  using _closing = connection;
  const buffer = new Uint8Array(1_024);
  if (await connection.read(buffer) === null) return;
  await connection.write(connack);
  await connection.read(buffer);
}

/** Accepts for ever. */
async function accept(listener: Deno.TcpListener): Promise<void> {
  for (;;) {
    serve(await listener.accept()); // A connection that breaks ends the program: none should.
  }
}

if (self.name === workerName) {
  const port = Number(Deno.args[0]);
  accept(Deno.listen({ hostname: "127.0.0.1", port, reusePort: true }));
  self.postMessage("listening");
} else {
  for (let i = 0; i < threads; i++) {
    const worker = new Worker(import.meta.url, { type: "module", name: workerName });
    await new Promise((listening) => worker.onmessage = listening);
  }
  Deno.stdout.writeSync(new TextEncoder().encode("ready\n"));
}
