/**
 * The Worker of port_bench.ts and remote_worker_test.ts: counts messages, and says so each 100,000.
 *
 * @module
 */
import { DeadLetters } from "../dead_letters.ts";
import { Link } from "../remote_link.ts";
import { PublishedNames } from "../remote_names.ts";

const every = 100_000;

self.onmessage = (event: MessageEvent<unknown>) => {
  const { data } = event;
  if (typeof data !== "object" || data === null || !("linked" in data && "bare" in data)) {
    throw new TypeError("Cannot count: no ports");
  }
  const { linked, bare } = data;
  if (!(linked instanceof MessagePort && bare instanceof MessagePort)) {
    throw new TypeError("Cannot count: no ports");
  }
  const names = new PublishedNames();
  const link = new Link(linked, { peer: "bench", names, deadLetters: new DeadLetters() });
  let told = 0;
  names.publish("counter", {
    path: "counter",
    tell() {
      if (++told % every === 0) link.post(told);
      return "accepted";
    },
  }, (message) => message);
  link.open({});
  let posted = 0;
  bare.onmessage = () => {
    if (++posted % every === 0) bare.postMessage(posted);
  };
};
self.postMessage("loaded");
