/**
 * The forms of text that options take.
 *
 * @module
 */
import { isSigningKey } from "../gateways/auth/signing_key.ts";
import { isFilter } from "../gateways/mqtt/topic_filter.ts";
import { parseAccountRate } from "../actors/rates/account_rate.ts";
import { parseRate } from "../actors/rates/rate_limit.ts";
import { parseIpNetwork } from "../gateways/proxy/ip_networks.ts";
import { parseListenAddress } from "./listen_address.ts";
import type { Format } from "./option.ts";

function hasScheme(text: string, schemes: readonly string[]): boolean {
  const url = URL.parse(text);
  if (url === null || !schemes.includes(url.protocol) || url.hostname === "") return false;
  try {
    decodeURIComponent(url.username + url.password);
    return true;
  } catch {
    return false; // A bare % in a password, which nobody could read back.
  }
}

/** Completes what a URL must be. */
const encoded = "a % in name or password is written %25";

/** `host:port`; empty turns the listener off. */
export const listenAddress: Format = {
  name: "sluice-listen-address",
  expects: `"host:port", such as "127.0.0.1:1883", or empty to turn it off`,
  accepts: (text) => text === "" || parseListenAddress(text) !== undefined,
};

export const ipNetwork: Format = {
  name: "sluice-ip-network",
  expects: `an IP address or a network, such as "10.1.2.3" or "10.0.0.0/8"`,
  accepts: (text) => parseIpNetwork(text) !== undefined,
};

export const brokerUrl: Format = {
  name: "sluice-broker-url",
  expects:
    `a URL with mqtt://, mqtts://, ws:// or wss://, such as "mqtt://user:pass@host:1883"; ${encoded}, a comma in a variable %2C`,
  accepts: (text) => hasScheme(text, ["mqtt:", "mqtts:", "ws:", "wss:"]),
  isCut: (text) => !text.includes("://"),
};

export const hostName: Format = {
  name: "sluice-host-name",
  expects: `a name without port, such as "sluice.example"`,
  accepts: (text) => /^[\w-]+(\.[\w-]+)*$/.test(text),
};

export const httpUrl: Format = {
  name: "sluice-http-url",
  expects: `a URL with http:// or https://, such as "http://127.0.0.1:8428"; ${encoded}`,
  accepts: (text) => hasScheme(text, ["http:", "https:"]),
};

export const postgresUrl: Format = {
  name: "sluice-postgres-url",
  expects: `a URL with postgres://, such as "postgres://user:pass@host:5432/sluice"; ${encoded}`,
  accepts: (text) => hasScheme(text, ["postgres:", "postgresql:"]),
};

export const topicFilter: Format = {
  name: "sluice-topic-filter",
  expects: `an MQTT topic filter, such as "+/+" or "device/#"`,
  accepts: (text) => !text.includes("\0") && isFilter(text),
};

/** MQTT-4.8.2: the share name of `$share/{name}/{filter}`. */
export const shareName: Format = {
  name: "sluice-share-name",
  expects: `a name without "/", "+" and "#"`,
  accepts: (text) => /^[^/+#\0]+$/.test(text),
};

/** A value that goes on every point as a tag: one line, bounded. */
export const label: Format = {
  name: "sluice-label",
  expects: "1 to 128 characters without control characters",
  accepts: (text) => /^[^\p{Cc}]{1,128}$/u.test(text),
};

export const signingKey: Format = {
  name: "sluice-signing-key",
  expects: "at least 32 bytes and not a placeholder; `openssl rand -base64 48` makes a good one",
  accepts: isSigningKey,
};

/** What fits a header of HTTP; a line break that came with a file would be shown by every error. */
export const headerText: Format = {
  name: "sluice-header-text",
  expects: "one line of Latin letters, digits and signs",
  accepts: (text) => /^[\x20-\x7e\xa0-\xff]+$/.test(text),
};

/** See actors/rates/rate_limit.ts. */
export const rate: Format = {
  name: "sluice-rate",
  expects:
    `counts and seconds, such as "20:1,600:60" for 20 in a second and 600 in a minute; 4 at most`,
  accepts: (text) => {
    try {
      return parseRate(text).length > 0;
    } catch {
      return false;
    }
  },
};

/** See actors/rates/account_rate.ts. */
export const accountRate: Format = {
  name: "sluice-account-rate",
  expects: `an account and its rate, such as "UPB/gateway=2000:1"`,
  accepts: (text) => {
    try {
      return parseAccountRate(text).account !== "";
    } catch {
      return false;
    }
  },
};

export const formats: readonly Format[] = [
  rate,
  accountRate,
  listenAddress,
  ipNetwork,
  brokerUrl,
  hostName,
  httpUrl,
  postgresUrl,
  topicFilter,
  shareName,
  label,
  headerText,
  signingKey,
];
