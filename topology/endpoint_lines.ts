/**
 * The endpoints that are open: a line of each that the start prints for people, and the URL of each
 * that a login names for devices.
 *
 * @module
 */
import { brokerName } from "./broker_name.ts";
import type { Plan } from "../topology.ts";
import { storeName } from "./store_name.ts";

/** What of a plan is told. */
export type Endpoints = Pick<
  Plan,
  "config" | "mqtt" | "mqttTls" | "http" | "httpTls" | "sessionSockets"
>;

export function endpointLines(
  { config, mqtt, mqttTls, http, httpTls, sessionSockets }: Endpoints,
): string[] {
  const lines: string[] = [];
  if (mqtt !== undefined) lines.push(`MQTT       mqtt://${hostPort(mqtt)}`);
  if (mqttTls !== undefined) lines.push(`MQTT TLS   mqtts://${hostPort(mqttTls)}`);
  const pages = "(dashboard, /api, /metrics)";
  if (http !== undefined) lines.push(`HTTP       http://${hostPort(http)}/  ${pages}`);
  if (httpTls !== undefined) lines.push(`HTTPS      https://${hostPort(httpTls)}/  ${pages}`);
  if (sessionSockets !== undefined) {
    if (http !== undefined) lines.push(`MQTT ws    ws://${hostPort(http)}/mqtt`);
    if (httpTls !== undefined) lines.push(`MQTT wss   wss://${hostPort(httpTls)}/mqtt`);
  }
  for (const url of config.broker.urls) lines.push(`broker     ${brokerName(url)}`);
  lines.push(`store      ${storeName(config)}`);
  return lines;
}

/** Where devices connect: what a login names while nothing else is advertised. */
export function deviceUrls(
  { mqtt, mqttTls, http, httpTls }: Pick<Endpoints, "mqtt" | "mqttTls" | "http" | "httpTls">,
): string[] {
  return [
    ...(mqttTls === undefined ? [] : [`mqtts://${hostPort(mqttTls)}`]),
    ...(mqtt === undefined ? [] : [`mqtt://${hostPort(mqtt)}`]),
    ...(httpTls === undefined ? [] : [`wss://${hostPort(httpTls)}/ws`]),
    ...(http === undefined ? [] : [`ws://${hostPort(http)}/ws`]),
  ];
}

/** As it stands in a URL. */
const hostPort = ({ hostname, port }: { hostname: string; port: number }): string =>
  hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
