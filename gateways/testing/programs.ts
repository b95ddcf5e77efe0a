/**
 * Which of the programs that integration tests need are there. A test that misses one says which
 * and counts as skipped; under `SLUICE_TEST_REQUIRE_SERVERS=1` it fails instead.
 *
 * @module
 */

/** Program → the Debian package that has it. */
const packages = {
  mosquitto: "mosquitto",
  mosquitto_passwd: "mosquitto",
  mosquitto_sub: "mosquitto-clients",
  mosquitto_pub: "mosquitto-clients",
  mosquitto_rr: "mosquitto-clients",
  "victoria-metrics": "victoria-metrics",
  influxd: "influxdb",
  postgres: "postgresql",
  initdb: "postgresql",
  pg_isready: "postgresql",
  psql: "postgresql-client",
  promtool: "prometheus",
  chromium: "chromium",
  curl: "curl",
  openssl: "openssl",
  haproxy: "haproxy",
  setpriv: "util-linux",
  python3: "python3",
  "paho/mqtt/client.py": "python3-paho-mqtt",
} as const;

/** A program that a test may ask for. */
export type Program = keyof typeof packages;

/** The path of a program. Throws, naming the Debian package, when it is not installed. */
export function findProgram(program: Program): string {
  const path = lookUp(program);
  if (path === undefined) throw new Error(missing([program]));
  return path;
}

/**
 * Registers a test that needs real programs. Missing ones make it a skipped test whose name says
 * what to install, or a failing one under `SLUICE_TEST_REQUIRE_SERVERS=1`.
 */
export function testWith(
  needed: readonly Program[],
  name: string,
  body: (context: Deno.TestContext) => void | Promise<void>,
): void {
  const absent = needed.filter((program) => lookUp(program) === undefined);
  if (absent.length === 0) {
    Deno.test(name, body);
  } else if (Deno.env.get("SLUICE_TEST_REQUIRE_SERVERS") === "1") {
    Deno.test(name, () => {
      throw new Error(missing(absent));
    });
  } else {
    Deno.test({ name: `${name} (skipped: ${missing(absent)})`, ignore: true, fn: body });
  }
}

function missing(programs: readonly Program[]): string {
  const names = [...new Set(programs.map((program) => packages[program]))].join(" ");
  return `${programs.join(", ")} not found; apt-get install ${names}`;
}

function lookUp(program: Program): string | undefined {
  for (const dir of directories()) {
    const path = `${dir}/${program}`;
    if (isFile(path)) return path;
  }
  return undefined;
}

/** Where Debian puts programs, and Python's libraries; PostgreSQL has a directory per version. */
function* directories(): Iterable<string> {
  yield* ["/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin"];
  yield "/usr/lib/python3/dist-packages";
  try {
    for (const version of Deno.readDirSync("/usr/lib/postgresql")) {
      yield `/usr/lib/postgresql/${version.name}/bin`;
    }
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}
