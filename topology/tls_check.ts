/**
 * Looks at the certificates before anything is started: what is wrong with them is one clear error.
 *
 * @module
 */
import { type Config, ConfigError } from "../config.ts";
import { messageOf } from "../runtime/message_of.ts";
import { readTlsFiles, type TlsSection } from "./tls_files.ts";

/**
 * @param nowMs wall time, in ms since the epoch.
 * @throws {ConfigError} for files that cannot be read, are not each other's, or have expired.
 */
export async function checkCertificates(
  { mqtt, http, broker }: Config,
  nowMs: number,
): Promise<void> {
  const problems = [
    ...await problemsOf("mqtt.tls", mqtt.tls, nowMs),
    ...await problemsOf("http.tls", http.tls, nowMs),
    ...(broker.urls.length > 0 ? await brokerProblems(broker.tls) : []),
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
  const { certFile, keyFile, clientCaFile, clientCrlFile } = section;
  const named = { certFile, keyFile, clientCaFile, clientCrlFile };
  const unreadable = await firstUnreadable(name, named);
  if (unreadable !== undefined) return [unreadable];
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
    const both = [clientCaFile, clientCrlFile].filter((file) => file !== undefined).join(", ");
    return [`${name}.clientCaFile, clientCrlFile: ${both}: ${messageOf(cause)}`];
  }
}

/** Dates are the broker's to judge: one that turns Sluice away keeps no device out. */
async function brokerProblems(section: Config["broker"]["tls"]): Promise<string[]> {
  const { caFile, certFile, keyFile } = section;
  const unreadable = await firstUnreadable("broker.tls", { caFile, certFile, keyFile });
  if (unreadable !== undefined) return [unreadable];
  if (caFile === undefined && certFile === undefined) return [];
  const { serverCertificate, ServerCertificateError } = await import(
    "../gateways/mqtt/client_tls/server_certificate.ts"
  );
  const { pemBlocks } = await import("../gateways/mqtt/client_tls/pem.ts");
  if (caFile !== undefined) {
    try {
      pemBlocks(await Deno.readTextFile(caFile), "CERTIFICATE");
    } catch (cause) {
      return [`broker.tls.caFile: ${caFile}: ${messageOf(cause)}`];
    }
  }
  if (certFile === undefined) return [];
  try {
    serverCertificate(await readTlsFiles({ certFile, ...(keyFile !== undefined && { keyFile }) }));
    return [];
  } catch (cause) {
    if (!(cause instanceof ServerCertificateError)) throw cause;
    const key = cause.file === "cert" ? "certFile" : "keyFile";
    return [`broker.tls.${key}: ${section[key]}: ${cause.message}`];
  }
}

async function firstUnreadable(
  name: string,
  files: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  for (const [key, file] of Object.entries(files)) {
    if (file === undefined) continue;
    try {
      await Deno.readTextFile(file);
    } catch (cause) {
      return `${name}.${key}: ${file} cannot be read: ${messageOf(cause)}`;
    }
  }
  return undefined;
}
