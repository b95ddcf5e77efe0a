/**
 * The files that a `tls` section of the configuration names.
 *
 * @module
 */
import type { Config } from "../config.ts";
import type { TlsFiles } from "../gateways/mqtt/endpoint/certificate_watch.ts";

/** What names them; config/rules.ts asks for the first two. */
export type TlsSection = Partial<
  Pick<Config["mqtt"]["tls"], "certFile" | "keyFile" | "clientCaFile" | "clientCrlFile">
>;

/** @throws {Error} when one cannot be read. */
export function readTlsFilesSync(section: TlsSection): TlsFiles {
  return filesOf(section, Deno.readTextFileSync);
}

/** Rejects when one cannot be read. */
export async function readTlsFiles(section: TlsSection): Promise<TlsFiles> {
  const { certFile, keyFile, clientCaFile, clientCrlFile } = section;
  const texts = new Map<string, string>();
  for (const file of [certFile, keyFile, clientCaFile, clientCrlFile]) {
    if (file !== undefined) texts.set(file, await Deno.readTextFile(file));
  }
  return filesOf(section, (file) => texts.get(file) ?? "");
}

function filesOf(
  { certFile = "", keyFile = "", clientCaFile, clientCrlFile }: TlsSection,
  read: (file: string) => string,
): TlsFiles {
  return {
    cert: read(certFile),
    key: read(keyFile),
    ...(clientCaFile !== undefined && { clientCa: read(clientCaFile) }),
    ...(clientCrlFile !== undefined && { clientCrl: read(clientCrlFile) }),
  };
}
