/**
 * Looks at the certificates before anything is started: what is wrong with them is one clear error.
 *
 * @module
 */
import { type Config, ConfigError } from "../config.ts";
import { readTlsFiles, type TlsSection } from "./tls_files.ts";

/**
 * @param nowMs wall time, in ms since the epoch.
 * @throws {ConfigError} for files that cannot be read, are not each other's, or have expired.
 */
export async function checkCertificates({ mqtt, http }: Config, nowMs: number): Promise<void> {
  const problems = [
    ...await problemsOf("mqtt.tls", mqtt.tls, nowMs),
    ...await problemsOf("http.tls", http.tls, nowMs),
  ];
  if (problems.length > 0) throw new ConfigError("certificates", problems);
}

async function problemsOf(
  name: string,
  section: TlsSection & { readonly listen: string },
  nowMs: number,
): Promise<string[]> {
  if (section.listen === "") return [];
  // Loaded where there is TLS, for it takes time and memory.
  const { checkDates, serverCertificate, ServerCertificateError } = await import(
    "../gateways/mqtt/client_tls/server_certificate.ts"
  );
  for (const key of ["certFile", "keyFile", "clientCaFile", "clientCrlFile"] as const) {
    const file = section[key];
    if (file === undefined) continue;
    try {
      await Deno.readTextFile(file);
    } catch (cause) {
      return [`${name}.${key}: ${file} cannot be read: ${said(cause)}`];
    }
  }
  const files = await readTlsFiles(section);
  try {
    checkDates(serverCertificate(files), nowMs);
  } catch (cause) {
    if (!(cause instanceof ServerCertificateError)) throw cause;
    const key = cause.file === "cert" ? "certFile" : "keyFile";
    return [`${name}.${key}: ${section[key]}: ${cause.message}`];
  }
  if (files.clientCa === undefined) return [];
  const { ClientCertificates } = await import(
    "../gateways/mqtt/client_tls/client_certificates.ts"
  );
  try {
    new ClientCertificates({
      authorities: files.clientCa,
      ...(files.clientCrl !== undefined && { revoked: files.clientCrl }),
      nameFrom: "commonName",
    });
    return [];
  } catch (cause) {
    const { clientCaFile, clientCrlFile } = section;
    const named = [clientCaFile, clientCrlFile].filter((file) => file !== undefined).join(", ");
    return [`${name}.clientCaFile, clientCrlFile: ${named}: ${said(cause)}`];
  }
}

const said = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause);
