/**
 * Where an InfluxDB or VictoriaMetrics is and how to speak to it, taken apart once from the
 * configured URL so that no credential stays in an address that might be logged.
 *
 * @module
 */

/** How to reach the store. Only `url` and `bucket` are always needed. */
export interface InfluxOptions {
  /** `http://` or `https://`, a path prefix allowed; `user:pass@` becomes Basic authorization. */
  readonly url: string;
  /**
   * Sent as `Authorization: Token …`; wins over credentials in the URL. A token `user:password` is
   * for InfluxDB 1.x; its v1 API gets it as Basic authorization, all that versions before 1.8 know.
   */
  readonly token?: string;
  readonly org?: string;
  /** The bucket; for InfluxDB 1.x `database` or `database/retention policy`. */
  readonly bucket: string;
  /** Default `auto`: on, except to a loopback address, where it costs more than it saves. */
  readonly gzip?: "auto" | "on" | "off";
  /** How long one request may take. Default 10000. */
  readonly timeoutMs?: number;
}

/** The two write APIs: InfluxDB 2, 3, 1.8 and VictoriaMetrics, or any 1.x. */
export type WriteApi = "v2" | "v1";

/** {@linkcode InfluxOptions}, checked and taken apart. */
export interface InfluxTarget {
  /** Scheme, host, port and path prefix, without credentials and without a trailing slash. */
  readonly baseUrl: string;
  readonly hostname: string;
  readonly port: number;
  readonly tls: boolean;
  readonly gzip: boolean;
  /** Value of the `Authorization` header, by API. Secret. */
  readonly authorization: Readonly<Record<WriteApi, string | undefined>>;
  /** Path and query of a write, by API. */
  readonly writePath: Readonly<Record<WriteApi, string>>;
  readonly pingPath: string;
}

/** Checks the options. Throws a `TypeError` that names the option, never its credentials. */
export function influxTarget(options: InfluxOptions): InfluxTarget {
  const url = parseUrl(options.url);
  if (options.bucket === "") throw new TypeError("the bucket of the store is empty");
  const prefix = url.pathname.replace(/\/+$/, "").replace(/\/api\/v2$/, "");
  const tls = url.protocol === "https:";
  return {
    baseUrl: url.origin + prefix,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (tls ? 443 : 80) : Number(url.port),
    tls,
    gzip: options.gzip === "on" ||
      (options.gzip !== "off" && !isLoopback(url.hostname)),
    authorization: authorization(url, options.token ?? ""),
    writePath: {
      v2: `/api/v2/write?${query({ org: options.org, bucket: options.bucket, precision: "ns" })}`,
      v1: `/write?${v1Query(options.bucket)}`,
    },
    pingPath: `${prefix}/ping`,
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new TypeError("the URL of the store must begin with http:// or https://");
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.[\d.]+$/.test(hostname);
}

function authorization(url: URL, token: string): InfluxTarget["authorization"] {
  if (token !== "") {
    const v2 = `Token ${token}`;
    return { v2, v1: token.includes(":") ? basic(token) : v2 };
  }
  if (url.username === "" && url.password === "") return { v2: undefined, v1: undefined };
  const both = basic(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`);
  return { v2: both, v1: both };
}

const basic = (pair: string): string => `Basic ${new TextEncoder().encode(pair).toBase64()}`;

function v1Query(bucket: string): string {
  const slash = bucket.indexOf("/");
  return slash < 0
    ? query({ db: bucket, precision: "ns" })
    : query({ db: bucket.slice(0, slash), rp: bucket.slice(slash + 1), precision: "ns" });
}

function query(pairs: Readonly<Record<string, string | undefined>>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(pairs)) {
    if (value !== undefined && value !== "") params.set(name, value);
  }
  return params.toString();
}
