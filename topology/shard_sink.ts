/**
 * The store of a shard as the configuration names it.
 *
 * @module
 */
import type { Sink } from "../actors/sink.ts";
import type { Config } from "../config.ts";
import { EmbeddedSink } from "../gateways/store/embedded_sink.ts";
import type { Link } from "../runtime/remote_link.ts";

export interface ShardSink {
  readonly sink: Sink;
  /** Connects to the embedded store's Worker, where there is one. */
  readonly attach?: (link: Link) => void;
}

/** Loads the client of another store only where there is one. */
export async function openSink(config: Config): Promise<ShardSink> {
  const { url, token, org, bucket, gzip, timeoutMs } = config.influx;
  if (url === undefined) {
    const sink = new EmbeddedSink();
    return { sink, attach: (link) => sink.attach(link) };
  }
  const { InfluxSink } = await import("../gateways/influx/influx_sink.ts");
  return {
    sink: new InfluxSink({
      url,
      bucket,
      gzip,
      timeoutMs,
      ...(token === undefined ? {} : { token }),
      ...(org === undefined ? {} : { org }),
    }),
  };
}
