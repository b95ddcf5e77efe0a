import assert from "node:assert/strict";
import { listenAtSocket, sessionSockets } from "./session_sockets.ts";

function withDirectory(run: (path: string) => void): void {
  const path = Deno.makeTempDirSync();
  try {
    run(path);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

const modeOf = (path: string): number => (Deno.statSync(path).mode ?? 0) & 0o777;

Deno.test("a socket lies in the data directory, and only this user may open it", () => {
  withDirectory((path) => {
    const sockets = sessionSockets(path);
    assert.equal(sockets.path(3), `${path}/sessions-3.sock`);
    // A killed process leaves its socket behind.
    for (let start = 0; start < 2; start++) {
      using listener = listenAtSocket(sockets.path(3));
      assert.equal(listener.addr.path, sockets.path(3));
      assert.equal(modeOf(sockets.path(3)), 0o600);
    }
    sockets.remove();
    assert.ok(Deno.statSync(path).isDirectory);
  });
});

Deno.test("a data directory whose name is too long has its sockets elsewhere, until the end", () => {
  withDirectory((path) => {
    const dataDir = `${path}/${"d".repeat(100)}`;
    Deno.mkdirSync(dataDir);
    const sockets = sessionSockets(dataDir);
    const socket = sockets.path(0);
    listenAtSocket(socket).close();
    const own = socket.slice(0, socket.lastIndexOf("/"));
    assert.equal(modeOf(own), 0o700);
    assert.deepEqual([...Deno.readDirSync(dataDir)], []);
    sockets.remove();
    assert.throws(() => Deno.statSync(own), Deno.errors.NotFound);
    sockets.remove(); // As when something else has removed them.
  });
});
