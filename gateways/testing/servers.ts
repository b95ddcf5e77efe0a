/**
 * The real servers that integration tests run against: mosquitto, haproxy, victoria-metrics,
 * influxd and postgres, each from Debian's package, on a free loopback port with a directory of its own.
 *
 * @module
 */
import { findProgram } from "./programs.ts";
import type { ServerCommand } from "./server_process.ts";
import { ServerProcess } from "./server_process.ts";

/**
 * Starts mosquitto: anonymous, QoS 1 queues unbounded, and no `user` switch so that it works for
 * root too. `extra` lines are appended to its configuration, for example
 * `max_inflight_messages 100` or `persistence true`.
 */
export function startMosquitto(extra: readonly string[] = []): Promise<ServerProcess> {
  return ServerProcess.start({
    name: "mosquitto",
    scheme: "mqtt",
    ready: accepts,
    async command(port, dir) {
      const file = `${dir}/mosquitto.conf`;
      await Deno.writeTextFile(
        file,
        [
          `listener ${port} 127.0.0.1`,
          "allow_anonymous true",
          "user root",
          "max_queued_messages 0",
          `persistence_location ${dir}/`,
          ...extra,
          "",
        ].join("\n"),
      );
      return { program: findProgram("mosquitto"), args: ["-c", file] };
    },
  });
}

/** Starts HAProxy; each of the `lines` is of its configuration, which carries TCP. */
export function startHaproxy(lines: readonly string[]): Promise<ServerProcess> {
  return ServerProcess.start({
    name: "haproxy",
    scheme: "tcp",
    ready: accepts,
    async command(port, dir) {
      const file = `${dir}/haproxy.cfg`;
      const timeouts = ["connect", "client", "server"].map((of) => `  timeout ${of} 30s`);
      const ready = ["listen ready", `  bind 127.0.0.1:${port}`];
      const all = ["defaults", "  mode tcp", ...timeouts, ...ready, ...lines, ""];
      await Deno.writeTextFile(file, all.join("\n"));
      return { program: findProgram("haproxy"), args: ["-db", "-f", file] };
    },
  });
}

/** Starts VictoriaMetrics; `extra` are further flags, for example `-dedup.minScrapeInterval=1ms`. */
export function startVictoriaMetrics(extra: readonly string[] = []): Promise<ServerProcess> {
  return ServerProcess.start({
    name: "victoria-metrics",
    scheme: "http",
    stopSignal: "SIGINT",
    ready: (port) => answers(`http://127.0.0.1:${port}/health`),
    command: (port, dir) =>
      Promise.resolve({
        program: findProgram("victoria-metrics"),
        args: [
          `-httpListenAddr=127.0.0.1:${port}`,
          `-storageDataPath=${dir}/data`,
          "-retentionPeriod=100y",
          "-memory.allowedPercent=20",
          "-http.maxGracefulShutdownDuration=1s", // Idle keep-alive connections would hold it.
          ...extra,
        ],
      }),
  });
}

/** Starts InfluxDB 1.x; `env` sets further options, for example `INFLUXDB_HTTP_AUTH_ENABLED`. */
export function startInfluxd(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  return ServerProcess.start({
    name: "influxdb",
    scheme: "http",
    ready: (port) => answers(`http://127.0.0.1:${port}/ping`),
    command: (port, dir) =>
      Promise.resolve({
        program: findProgram("influxd"),
        args: ["run", "-config", "/dev/null"],
        env: {
          INFLUXDB_BIND_ADDRESS: "127.0.0.1:0",
          INFLUXDB_HTTP_BIND_ADDRESS: `127.0.0.1:${port}`,
          INFLUXDB_META_DIR: `${dir}/meta`,
          INFLUXDB_DATA_DIR: `${dir}/data`,
          INFLUXDB_DATA_WAL_DIR: `${dir}/wal`,
          INFLUXDB_REPORTING_DISABLED: "true",
          INFLUXDB_MONITOR_STORE_ENABLED: "false",
          INFLUXDB_HTTP_LOG_ENABLED: "false",
          ...env,
        },
      }),
  });
}

/**
 * Starts PostgreSQL: superuser and database `postgres`, no password from loopback. Root runs it
 * as the user `postgres`, because the server refuses to run as root.
 */
export function startPostgres(): Promise<ServerProcess> {
  return ServerProcess.start({
    name: "postgresql",
    scheme: "postgres",
    stopSignal: "SIGINT", // "Fast": does not wait for clients to leave.
    ready: async (port) =>
      (await run({
        program: findProgram("pg_isready"),
        args: ["-q", "-h", "127.0.0.1", "-p", String(port)],
      })).success,
    async command(port, dir) {
      const data = `${dir}/data`;
      if (!await exists(data)) {
        if (Deno.uid() === 0) await chownToPostgres(dir);
        const made = await run(asPostgres({
          program: findProgram("initdb"),
          args: ["-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"],
        }));
        if (!made.success) {
          throw new Error(`initdb failed: ${new TextDecoder().decode(made.stderr)}`);
        }
      }
      return asPostgres({
        program: findProgram("postgres"),
        args: ["-D", data, "-h", "127.0.0.1", "-p", String(port), "-k", dir],
      });
    },
  });
}

function asPostgres(command: ServerCommand): ServerCommand {
  if (Deno.uid() !== 0) return command;
  return {
    program: findProgram("setpriv"),
    args: [
      "--reuid=postgres",
      "--regid=postgres",
      "--init-groups",
      "--",
      command.program,
      ...command.args,
    ],
  };
}

async function chownToPostgres(dir: string): Promise<void> {
  const line = (await Deno.readTextFile("/etc/passwd")).match(/^postgres:[^:]*:(\d+):(\d+):/m);
  if (line === null) throw new Error("there is no user postgres to run the server as");
  await Deno.chown(dir, Number(line[1]), Number(line[2]));
}

function run(command: ServerCommand): Promise<Deno.CommandOutput> {
  return new Deno.Command(command.program, { args: [...command.args], stdin: "null" }).output();
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}

async function accepts(port: number): Promise<boolean> {
  (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  return true;
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url);
  await response.body?.cancel();
  return response.ok;
}
