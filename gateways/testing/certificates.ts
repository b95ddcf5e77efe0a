/**
 * A certificate authority as tests need one: made by openssl, in a directory of its own.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findProgram } from "./programs.ts";

const ecKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Runs openssl there. */
async function openssl(directory: string, ...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(findProgram("openssl"), {
    args: [...args],
    cwd: directory,
    stdin: "null",
  }).output();
  assert.ok(success, `openssl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

export interface IssueOptions {
  /** Default: `/CN=<name>`. */
  readonly subject?: string;
  /** Lines of openssl's extension file, beside `basicConstraints=CA:FALSE`. */
  readonly extensions?: readonly string[];
  readonly days?: number;
  /** Default: SHA-256. */
  readonly digest?: "sha1";
  /** Default: one of openssl's choice. */
  readonly serial?: string;
}

/** See the module. Certificates are `<name>.crt` and `<name>.key` in its directory. */
export class TestAuthority {
  private constructor(readonly directory: string, readonly name: string) {}

  static async make(directory: string, name: string, extensions = [
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=keyCertSign,cRLSign",
  ]): Promise<TestAuthority> {
    await openssl(
      directory,
      ...["req", "-x509", ...ecKey, "-keyout", `${name}.key`, "-out", `${name}.crt`],
      ...["-days", "3650", "-subj", `/CN=${name}`],
      ...extensions.flatMap((extension) => ["-addext", extension]),
    );
    await Deno.writeTextFile(`${directory}/${name}.index`, "");
    await Deno.writeTextFile(`${directory}/${name}.number`, "01\n");
    await Deno.writeTextFile(
      `${directory}/${name}.cnf`,
      `[ca]\ndefault_ca=d\n[d]\ndatabase=${name}.index\ncrlnumber=${name}.number\ndefault_md=sha256\n`,
    );
    return new TestAuthority(directory, name);
  }

  async issue(name: string, options: IssueOptions = {}): Promise<void> {
    const { subject = `/CN=${name}`, extensions = [], days = 365, digest = "sha256" } = options;
    const { directory } = this;
    const number = options.serial === undefined
      ? ["-CAcreateserial"]
      : ["-set_serial", options.serial];
    await openssl(
      directory,
      ...["req", ...ecKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject],
    );
    const lines = ["basicConstraints=CA:FALSE", ...extensions];
    await Deno.writeTextFile(`${directory}/${name}.ext`, lines.join("\n"));
    await openssl(
      directory,
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", `${this.name}.crt`, "-CAkey"],
      ...[`${this.name}.key`, ...number, "-out", `${name}.crt`, "-days", String(days)],
      ...[`-${digest}`, "-extfile", `${name}.ext`],
    );
  }

  /** Takes certificates back. */
  async revoke(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.#ca("-revoke", `${name}.crt`);
  }

  /** Writes the list of what was taken back, good for so many days. */
  async list(file: string, days = 30): Promise<void> {
    await this.#ca("-gencrl", "-crldays", String(days), "-out", file);
  }

  #ca(...args: readonly string[]): Promise<void> {
    const { directory, name } = this;
    return openssl(
      directory,
      ...["ca", "-config", `${name}.cnf`, "-keyfile", `${name}.key`, "-cert", `${name}.crt`],
      ...args,
    );
  }
}
