import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { type Clock, systemClock } from "../../../runtime/clock.ts";
import { TestAuthority } from "../../testing/certificates.ts";
import { findProgram, testWith } from "../../testing/programs.ts";
import type { ActorRef } from "../../../runtime/actor.ts";
import { ActorSystem } from "../../../runtime/system.ts";
import { encodePacket } from "../codec/packet.ts";
import type { Acceptor } from "../endpoint/arrival.ts";
import { type EndpointServices, openToAll } from "../endpoint/endpoint_options.ts";
import { EndpointStats } from "../endpoint/endpoint_stats.ts";
import type { Connection } from "../endpoint/link.ts";
import { listenerSpec } from "../endpoint/listener.ts";
import { connectOf, FakeIntake, publishOf, testLimits } from "../endpoint/testing.ts";
import { memoryPubSub } from "../pubsub/testing/memory_pubsub.ts";
import { ClientTls } from "./client_tls.ts";
import { NotTls } from "./not_tls.ts";
import type { RawConnection } from "./socket_stream.ts";

const loopback = { hostname: "127.0.0.1", port: 0 };

/** Calls with a directory in which are a server's certificate, and that of a client `one`. */
async function withCertificates(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const ours = await TestAuthority.make(directory, "ours");
    await ours.issue("server", { extensions: ["subjectAltName=IP:127.0.0.1"] });
    await ours.issue("one");
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function serverOf(directory: string, required: boolean, clock: Clock = systemClock): ClientTls {
  const read = (file: string): string => Deno.readTextFileSync(`${directory}/${file}`);
  return new ClientTls({
    files: { cert: read("server.crt"), key: read("server.key"), clientCa: read("ours.crt") },
    required,
    nameFrom: "commonName",
    clock,
  });
}

function connectAs(directory: string, name: string, port: number): Promise<Deno.TlsConn> {
  const read = (file: string): string => Deno.readTextFileSync(`${directory}/${file}`);
  return Deno.connectTls({
    hostname: "127.0.0.1",
    port,
    caCerts: [read("ours.crt")],
    cert: read(`${name}.crt`),
    key: read(`${name}.key`),
  });
}

/** Lets everything happen that can without new input. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((done) => setImmediate(done));
}

/** Turns until it is so; a socket that stalls for good is found by their number. */
async function until(what: string, check: () => boolean): Promise<void> {
  for (let turns = 0; !check(); turns++) {
    assert.ok(turns < 100_000, `${what}: not in time`);
    await settle();
  }
}

/** Counts what is read from a socket. */
function counted(socket: Deno.TcpConn): RawConnection & { readonly readBytes: number } {
  let readBytes = 0;
  return {
    get readBytes() {
      return readBytes;
    },
    read: async (into) => {
      const count = await socket.read(into);
      readBytes += count ?? 0;
      return count;
    },
    write: (bytes) => socket.write(bytes),
    closeWrite: () => socket.closeWrite(),
    close: () => socket.close(),
  };
}

testWith(
  ["openssl"],
  "no more is read from the socket than the session asks for",
  () =>
    withCertificates(async (directory) => {
      const server = serverOf(directory, true);
      using listener = Deno.listen(loopback);
      const dialled = connectAs(directory, "one", listener.addr.port);
      const socket = counted(await listener.accept());
      const { connection, certificate } = await server.accept(socket);
      assert.equal(certificate?.name, "one");
      const client = await dialled;

      const sent = crypto.getRandomValues(new Uint8Array(60_000));
      const rounds = 40;
      const writing = (async () => {
        for (let round = 0; round < rounds; round++) {
          for (let at = 0; at < sent.length;) at += await client.write(sent.subarray(at));
        }
        await client.closeWrite();
      })();
      const into = new Uint8Array(5_000);
      let taken = 0;
      for (;;) {
        const count = await connection.read(into);
        if (count === null) break;
        for (let i = 0; i < count; i++) {
          if (into[i] !== sent[(taken + i) % sent.length]) assert.fail(`byte ${taken + i} differs`);
        }
        taken += count;
        if (taken % 200_000 < count) await settle();
        // A record that is not whole, one that is read, and one that Node's stream holds ready.
        const aheadBytes = socket.readBytes - taken;
        assert.ok(aheadBytes < 150_000, `${aheadBytes} bytes were read ahead`);
      }
      assert.equal(taken, rounds * sent.length);
      await writing;

      // The other way: what is written comes, in order, and then the end.
      const answer = new Uint8Array(100_000).map((_, i) => i);
      const written = (async () => {
        for (let at = 0; at < answer.length;) at += await connection.write(answer.subarray(at));
        await connection.closeWrite();
      })();
      assert.deepEqual(await readAll(client), answer);
      await written;
      client.close();
      connection.close();
    }),
);

testWith(
  ["openssl"],
  "a session that may take no more leaves the rest in the socket",
  () =>
    withCertificates(async (directory) => {
      const server = serverOf(directory, true);
      const listener = Deno.listen(loopback);
      const sockets: ReturnType<typeof counted>[] = [];
      const acceptor: Acceptor = {
        accept: async () => {
          const socket = counted(await listener.accept());
          sockets.push(socket);
          return { ...await server.accept(socket), peer: "127.0.0.1:1", transport: "mqtt" };
        },
        close: () => listener.close(),
      };
      const intake = new FakeIntake();
      intake.credit = 3;
      const stats = new EndpointStats();
      const services: EndpointServices = {
        intake,
        limits: testLimits,
        authenticate: openToAll,
        messages: memoryPubSub(systemClock).pubsub,
        stats,
        events: {},
      };
      const system = new ActorSystem();
      const endpoint = system.spawn(listenerSpec("mqtt", services, () => [acceptor]));
      const client = await connectAs(directory, "one", listener.addr.port);
      await client.write(encodePacket(connectOf({}), 4));
      assert.equal(await client.read(new Uint8Array(10)), 4);

      const count = 2_000;
      const publish = encodePacket(
        publishOf({ topic: "t/1", qos: 0, payload: new Uint8Array(5_000) }),
        4,
      );
      const writing = (async () => {
        for (let i = 0; i < count; i++) {
          for (let at = 0; at < publish.length;) at += await client.write(publish.subarray(at));
        }
      })();
      await until("it pauses", () => stats.pauses > 0);
      const [socket] = sockets;
      assert.ok(socket !== undefined);
      let readBytes = -1;
      for (let still = 0; still < 20; still = socket.readBytes === readBytes ? still + 1 : 0) {
        readBytes = socket.readBytes;
        await settle();
      }
      assert.ok(readBytes < 300_000, `${readBytes} bytes were read`);
      assert.equal(intake.taken.length, 3);

      intake.grant(Infinity);
      await writing;
      await until("all are taken", () => intake.taken.length === count);
      client.close();
      const make = (drained: ActorRef<"drained">) => ({ kind: "drain", drained }) as const;
      assert.equal(await system.ask(endpoint, make, 10_000), "drained");
      await system.stop();
    }),
);

async function readAll(from: Pick<Connection, "read">): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const into = new Uint8Array(16_384);
    const count = await from.read(into);
    if (count === null) break;
    chunks.push(into.subarray(0, count));
  }
  return new Uint8Array(await new Blob(chunks.map((chunk) => chunk.slice())).arrayBuffer());
}

testWith(
  ["openssl"],
  "a client that does not read holds up what is written to it",
  () =>
    withCertificates(async (directory) => {
      const server = serverOf(directory, true);
      using listener = Deno.listen(loopback);
      const dialled = connectAs(directory, "one", listener.addr.port);
      const { connection } = await server.accept(await listener.accept());
      const client = await dialled;
      const bytes = new Uint8Array(1_000_000);
      let written = 0;
      const writing = (async () => {
        for (;;) {
          await connection.write(bytes);
          written++;
        }
      })();
      // What the kernel takes on both sides, and no more however long it lasts.
      let before = -1;
      for (let still = 0; still < 50; still = written === before ? still + 1 : 0) {
        before = written;
        await settle();
        assert.ok(written < 200, "it writes on");
      }
      connection.close();
      await assert.rejects(writing);
      client.close();
    }),
);

testWith(
  ["openssl"],
  "a certificate is looked at again when its TLS session is resumed",
  () =>
    withCertificates(async (directory) => {
      using listener = Deno.listen(loopback);
      const dial = async (...args: readonly string[]): Promise<string> => {
        const { stdout } = await new Deno.Command(findProgram("openssl"), {
          args: ["s_client", "-ign_eof", "-connect", `127.0.0.1:${listener.addr.port}`, ...args],
          cwd: directory,
          stdin: "null",
        }).output();
        return new TextDecoder().decode(stdout);
      };
      const clock = { now: Date.now() };
      const server = serverOf(directory, true, { ...systemClock, now: () => clock.now });
      const serve = async (): Promise<string> => {
        try {
          const { connection, certificate } = await server.accept(await listener.accept());
          await connection.write(new Uint8Array(1));
          await connection.closeWrite();
          await connection.read(new Uint8Array(1));
          connection.close();
          return certificate?.name ?? "nobody";
        } catch (error) {
          return String(error);
        }
      };
      for (const version of ["-tls1_2", "-tls1_3"]) {
        const session = `${version}.session`;
        const own = [version, "-cert", "one.crt", "-key", "one.key", "-sess_out", session];
        assert.equal((await Promise.all([serve(), dial(...own)]))[0], "one");
        const again = async (): Promise<string> => {
          const [outcome, said] = await Promise.all([serve(), dial(version, "-sess_in", session)]);
          assert.match(said, /^Reused/m);
          return outcome;
        };
        assert.equal(await again(), "one");
        clock.now += 400 * 86_400_000;
        assert.match(await again(), /CertificateRefused: it has expired/);
        clock.now = Date.now();
      }
    }),
);

testWith(
  ["openssl"],
  "what is no TLS, or ends early, is an error of its own",
  () =>
    withCertificates(async (directory) => {
      const server = serverOf(directory, false);
      using listener = Deno.listen(loopback);
      for (const sent of ["", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff\x01"]) {
        const client = await Deno.connect({ ...loopback, port: listener.addr.port });
        const socket = await listener.accept();
        const accepted = server.accept(socket);
        await client.write(new TextEncoder().encode(sent));
        await client.closeWrite();
        const isText = sent.startsWith("GET");
        await assert.rejects(accepted, (error) => error instanceof NotTls === isText);
        if (isText) socket.close(); // So that it can be told.
        client.close();
      }
      const dialled = connectAs(directory, "one", listener.addr.port);
      const { connection } = await server.accept(await listener.accept());
      (await dialled).close();
      assert.equal(await connection.read(new Uint8Array(10)).catch(() => null), null);
      connection.close();
    }),
);
