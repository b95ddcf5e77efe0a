/**
 * Accounts as a test uses them: the admin of the first start, calls of the API with a token, and
 * MQTT clients of another maker.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { type Sluice, until } from "./sluice.ts";

/** The password that the first start printed. */
export async function adminPassword({ process }: Sluice): Promise<string> {
  let password: string | undefined;
  await until("the admin's password is printed", () => {
    password = /^admin +name admin, password (\S+) /m.exec(process.log)?.[1];
    return password !== undefined;
  });
  return password ?? "";
}

/** The token that a login gives. */
export async function login(httpUrl: string, name: string, password: string): Promise<string> {
  const answer = await fetch(`${httpUrl}/login`, {
    method: "POST",
    body: new URLSearchParams({ name, password }),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return text;
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Calls the API; with a body it is a POST. */
export async function api(
  httpUrl: string,
  token: string | undefined,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const answer = await fetch(`${httpUrl}${path}`, {
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
  });
  const text = await answer.text();
  const value: unknown = text === "" ? {} : JSON.parse(text);
  assert.ok(typeof value === "object" && value !== null, text);
  return { status: answer.status, body: { ...value } };
}

/** Adds an account over the API; gives its password. */
export async function addAccount(
  httpUrl: string,
  token: string,
  account: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { status, body } = await api(httpUrl, token, "/api/accounts", account);
  assert.equal(status, 201, JSON.stringify(body));
  return String(body.password);
}

/** An MQTT client, connected; it does not connect again by itself. */
export function connect(
  port: number,
  username: string | undefined,
  password: string | undefined,
  options: IClientOptions = {},
): Promise<MqttClient> {
  return connectAsync(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    connectTimeout: 60_000,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: Buffer.from(password) }),
    ...options,
  }, false);
}

/** The CONNACK code with which a client is refused; throws when it is let in. */
export async function refusal(attempt: Promise<MqttClient>): Promise<number> {
  let client: MqttClient;
  try {
    client = await attempt;
  } catch (error) {
    if (typeof error === "object" && error !== null && "code" in error) return Number(error.code);
    throw error;
  }
  await client.endAsync(true);
  throw new Error("the client was let in");
}

/** Publishes at QoS 1; gives the reason code of the PUBACK, 0 for success. */
export async function publishCode(client: MqttClient, topic: string): Promise<number> {
  try {
    await client.publishAsync(topic, '{"BAT":5}', { qos: 1 });
    return 0;
  } catch (error) {
    if (typeof error === "object" && error !== null && "code" in error) return Number(error.code);
    throw error;
  }
}

/** How a session ends: the reason code of the server's DISCONNECT, and how long it took. */
export function ending(
  client: MqttClient,
): Promise<{ readonly code: number; readonly atMs: number }> {
  return new Promise((resolve) => {
    client.once(
      "disconnect",
      ({ reasonCode }) => resolve({ code: reasonCode ?? 0, atMs: performance.now() }),
    );
  });
}
