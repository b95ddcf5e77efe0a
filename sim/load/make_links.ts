/**
 * The senders of a load run, by what they speak to.
 *
 * @module
 */
import type { AccountPlan } from "../account.ts";
import { loadModels } from "../load_model.ts";
import { BufferPool } from "./buffer_pool.ts";
import { LoadConnection, type Socket } from "./connection.ts";
import { Gate } from "./gate.ts";
import { HttpLink, type HttpTarget } from "./http_link.ts";
import type { LinkEnvironment, LoadLink } from "./link.ts";
import type { LoadOptions } from "./load_options.ts";
import { type MessagePlan, PacketImage } from "./packet_image.ts";
import { PayloadImage } from "./payload_image.ts";
import { type Credentials, Publisher } from "./publisher.ts";
import { ReadingWindow } from "./reading_window.ts";
import type { ConnectionSchedule, LoadSchedule } from "./schedule.ts";
import { StationLink, type StationTarget } from "./station_link.ts";

/** Where the load goes. */
export type LoadTarget =
  | {
    readonly kind: "mqtt";
    dial(): Promise<Socket>;
    readonly credentials: Credentials;
  }
  | { readonly kind: "websocket" } & StationTarget
  | { readonly kind: "http" } & HttpTarget;

const dialsAtOnce = 64;
/** Flat out, this share of the window must be free before it is filled: fewer, larger writes. */
const flatOutRoom = 0.25;
const writeBytesMax = 64 * 1024;

/** As many links as the options say. */
export function makeLinks(
  target: LoadTarget,
  options: LoadOptions,
  plan: AccountPlan,
  schedule: LoadSchedule,
  env: LinkEnvironment,
): LoadLink[] {
  const make = linkMaker(target, options, plan, env);
  return Array.from({ length: options.connections }, (_, index) =>
    make({
      name: `${options.clientId}-${plan.beganMs.toString(36)}-${index}`,
      devices: devicesOf(index, options.connections, plan.devices),
      schedule: schedule.of(index),
    }));
}

/** Sender `index` serves the devices `index`, `index + senders`, … */
export function devicesOf(index: number, senders: number, devices: number): number[] {
  const found: number[] = [];
  for (let device = index; device < devices; device += senders) found.push(device);
  return found;
}

interface LinkParts {
  readonly name: string;
  readonly devices: readonly number[];
  readonly schedule: ConnectionSchedule;
}

function linkMaker(
  target: LoadTarget,
  options: LoadOptions,
  plan: AccountPlan,
  env: LinkEnvironment,
): (parts: LinkParts) => LoadLink {
  if (target.kind === "mqtt") return connectionMaker(target, options, plan, env);
  const readings = { ...plan, model: loadModels[plan.model] };
  const { book } = env;
  const windowOf = ({ devices, schedule }: LinkParts): ReadingWindow => {
    const images = devices.map((device) => new PayloadImage(readings, device));
    return new ReadingWindow({ images, schedule, book, window: options.window });
  };
  return target.kind === "websocket"
    ? (parts) => new StationLink(parts.name, windowOf(parts), target, env)
    : (parts) => new HttpLink(parts.name, windowOf(parts), target, env);
}

function connectionMaker(
  { dial, credentials }: LoadTarget & { readonly kind: "mqtt" },
  { rate, window, qos, protocol }: LoadOptions,
  plan: AccountPlan,
  env: LinkEnvironment,
): (parts: LinkParts) => LoadLink {
  const messages: MessagePlan = {
    ...plan,
    model: loadModels[plan.model],
    version: protocol,
    qos,
  };
  const gate = new Gate(dialsAtOnce);
  let pool: BufferPool | undefined;
  return ({ name, devices, schedule }) => {
    const images = devices.map((device) => new PacketImage(messages, device));
    const publisher = new Publisher({
      clientId: name,
      plan: messages,
      images,
      schedule,
      book: env.book,
      window,
      roomMin: rate > 0 ? 1 : Math.ceil(window * flatOutRoom),
    });
    pool ??= new BufferPool(Math.min(writeBytesMax, Math.max(4_096, window * images[0]!.length)));
    return new LoadConnection(publisher, schedule, {
      ...env,
      dial: () => gate.run(dial),
      credentials,
      pool,
      readBufferBytes: Math.min(writeBytesMax, Math.max(1_024, window * 8)),
    });
  };
}
