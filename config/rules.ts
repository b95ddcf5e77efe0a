/**
 * What one option asks of another: sums that cannot work, and settings that have no effect.
 *
 * @module
 */
import { isLoopback, parseListenAddress } from "./listen_address.ts";
import type { Config } from "./options.ts";

/** One sentence for each combination that cannot work. */
export function contradictions(config: Config): string[] {
  const { mqtt, broker, store, spool, device, limits } = config;
  const problems: string[] = [];
  const atMost = (name: string, value: number, boundName: string, bound: number): void => {
    if (value > bound) {
      problems.push(`${name}: must be at most ${boundName}, which is ${bound}; it is ${value}`);
    }
  };
  // A PUBLISH holds the payload, a topic of at most 64 KiB and a few bytes around them.
  atMost(
    "limits.payloadBytesMax",
    limits.payloadBytesMax,
    "mqtt.packetBytesMax",
    mqtt.packetBytesMax,
  );
  atMost(
    "device.silentAfterMs",
    device.silentAfterMs,
    "device.offlineAfterMs",
    device.offlineAfterMs,
  );
  atMost("spool.segmentBytes", spool.segmentBytes, "spool.bytesMax", spool.bytesMax);
  // A segment takes whole commits; the largest payload must fit one.
  atMost(
    "limits.payloadBytesMax",
    limits.payloadBytesMax,
    "spool.segmentBytes",
    spool.segmentBytes,
  );
  atMost(
    "store.batchBytesMax",
    store.batchBytesMax,
    "limits.memoryBytesMax / 8",
    limits.memoryBytesMax / 8,
  );

  if (
    mqtt.tls.listen !== "" && (mqtt.tls.certFile === undefined || mqtt.tls.keyFile === undefined)
  ) {
    problems.push("mqtt.tls.listen: needs mqtt.tls.certFile and mqtt.tls.keyFile");
  }
  const { tls } = config.http;
  if (tls.clientCrlFile !== undefined && tls.clientCaFile === undefined) {
    problems.push("http.tls.clientCrlFile: needs http.tls.clientCaFile");
  }
  if (tls.listen !== "" && (tls.certFile === undefined || tls.keyFile === undefined)) {
    problems.push("http.tls.listen: needs http.tls.certFile and http.tls.keyFile");
  }
  if (mqtt.tls.clientCrlFile !== undefined && mqtt.tls.clientCaFile === undefined) {
    problems.push("mqtt.tls.clientCrlFile: needs mqtt.tls.clientCaFile");
  }
  if ((broker.tls.certFile === undefined) !== (broker.tls.keyFile === undefined)) {
    problems.push("broker.tls: certFile and keyFile go together; only one of them is set");
  }
  const taken = new Map<string, string>();
  for (const [name, address] of listenersOf(config)) {
    if (address === "" || parseListenAddress(address)?.port === 0) continue;
    const other = taken.get(address);
    if (other !== undefined) problems.push(`${name}: ${address} is already taken by ${other}`);
    taken.set(address, name);
  }
  problems.push(...exposures(config));
  if (config.jwt.previousSecret !== undefined && config.jwt.secret === undefined) {
    problems.push("jwt.previousSecret: needs jwt.secret, the key that signs now");
  }
  const listens = listenersOf(config).some(([, address]) => address !== "");
  if (!listens && broker.urls.length === 0) {
    problems.push(
      "mqtt.listen: no way in for readings; set mqtt.listen, mqtt.tls.listen, http.listen, http.tls.listen or broker.urls",
    );
  }
  return problems;
}

/** One sentence for each setting that works but is likely not what was meant. */
export function warnings(config: Config): string[] {
  const found: string[] = [];
  const { mqtt, http, auth } = config;
  for (const [name, address] of listenersOf(config)) {
    if (!isRemote(address)) continue;
    const { insecureAllowAnonymousRemote } = name.startsWith("http.") ? http : mqtt;
    if (!auth.required && insecureAllowAnonymousRemote) {
      found.push(`${name}: ${address} is open to everyone who can reach it, without an account`);
    }
  }
  if (config.postgres.url !== undefined && config.jwt.secret === undefined) {
    found.push(
      "jwt.secret: not set, so each instance has a key of its own and takes no other's tokens",
    );
  }
  if (mqtt.tls.clientCaFile !== undefined && mqtt.tls.listen === "") {
    found.push("mqtt.tls.clientCaFile: has no effect without mqtt.tls.listen");
  }
  if (http.tls.clientCaFile !== undefined && http.tls.listen === "") {
    found.push("http.tls.clientCaFile: has no effect without http.tls.listen");
  }
  if (config.influx.url === undefined && config.influx.token !== undefined) {
    found.push("influx.token: has no effect without influx.url; the embedded store is in use");
  }
  if (config.broker.urls.length === 0 && config.broker.topics !== undefined) {
    found.push("broker.topics: has no effect without broker.urls");
  }
  if (config.broker.urls.length > 0 && config.broker.qos === 0) {
    found.push("broker.qos: 0 means that the broker may lose readings before they reach Sluice");
  }
  return found;
}

/** What other machines could reach without an account or without TLS, and nobody said it may. */
function exposures({ mqtt, http, auth }: Config): string[] {
  const listeners = [
    ["mqtt", "mqtt.listen", mqtt.listen, mqtt, true],
    ["mqtt", "mqtt.tls.listen", mqtt.tls.listen, mqtt, false],
    ["http", "http.listen", http.listen, http, true],
    ["http", "http.tls.listen", http.tls.listen, http, false],
  ] as const;
  const problems: string[] = [];
  for (const [section, name, address, allowed, plaintext] of listeners) {
    if (!isRemote(address)) continue;
    if (!auth.required && !allowed.insecureAllowAnonymousRemote) {
      problems.push(
        `${name}: ${address} is open to other machines, and needs accounts: set auth.required, or ${section}.insecureAllowAnonymousRemote (docs/auth.md tells how)`,
      );
    }
    if (plaintext && !allowed.insecureAllowPlaintextRemote) {
      const other = section === "mqtt"
        ? "use mqtt.tls.listen"
        : "use http.tls.listen, put a proxy with TLS in front of a loopback address";
      problems.push(
        `${name}: ${address} is open to other machines without TLS: ${other}, or set ${section}.insecureAllowPlaintextRemote`,
      );
    }
  }
  return problems;
}

function isRemote(address: string): boolean {
  const parsed = parseListenAddress(address);
  return parsed !== undefined && !isLoopback(parsed);
}

/** Key path and address. */
function listenersOf({ mqtt, http }: Config): [string, string][] {
  return [
    ["mqtt.listen", mqtt.listen],
    ["mqtt.tls.listen", mqtt.tls.listen],
    ["http.listen", http.listen],
    ["http.tls.listen", http.tls.listen],
  ];
}
