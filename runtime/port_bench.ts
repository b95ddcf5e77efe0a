/**
 * What a message to an actor in another Worker costs: the codec alone, and the way through real
 * Workers with credit, beside one `postMessage` for each message.
 *
 * Measured on Deno 2.9.6 and 2 cores, a message of 3 fields: at best 0.15 µs to encode and 0.09 µs
 * to decode; told across 3.6 M/s on average in one run, and 1.2 M/s in another when more busy
 * processes shared the cores. In that one, sending them one by one reached 0.11 M/s.
 *
 * @module
 */
import { decodeFrame } from "./frame_decoder.ts";
import { FrameEncoder } from "./frame_encoder.ts";
import { DeadLetters } from "./dead_letters.ts";
import { Link } from "./remote_link.ts";
import { PublishedNames } from "./remote_names.ts";

const batch = 100_000;
const message = (i: number) => ({ kind: "tick", n: i, at: 1_700_000_000_000 + i });

Deno.bench({ name: "encode 100,000 messages of 3 fields", group: "codec" }, () => {
  const encoder = new FrameEncoder();
  for (let i = 0; i < batch; i++) {
    if (encoder.add("counter", message(i)) === "overflow") {
      encoder.seal();
      encoder.add("counter", message(i));
    }
  }
  encoder.seal();
});

const frames: Uint8Array[] = [];
{
  const encoder = new FrameEncoder();
  for (let i = 0; i < batch; i++) {
    if (encoder.add("counter", message(i)) === "overflow") {
      frames.push(new Uint8Array(encoder.seal()));
      encoder.add("counter", message(i));
    }
  }
  frames.push(new Uint8Array(encoder.seal()));
}

Deno.bench({ name: "decode 100,000 messages of 3 fields", group: "codec" }, () => {
  let count = 0;
  for (const frame of frames) decodeFrame(frame, () => count++);
  if (count !== batch) throw new Error(`decoded ${count}`);
});

/** A Worker that counts, over a link and over bare messages. */
function counter(): { worker: Worker; link: Link; port: MessagePort } {
  const worker = new Worker(new URL("./testing/count_entry.ts", import.meta.url), {
    type: "module",
  });
  const linked = new MessageChannel();
  const bare = new MessageChannel();
  worker.onmessage = () =>
    worker.postMessage({ linked: linked.port2, bare: bare.port2 }, [
      linked.port2,
      bare.port2,
    ]);
  const link = new Link(linked.port1, {
    peer: "counter",
    names: new PublishedNames(),
    deadLetters: new DeadLetters(),
  });
  return { worker, link, port: bare.port1 };
}

const { worker, link, port } = counter();
const credit = { goOn() {} };
let counted = () => {};
link.open({ credit: () => credit.goOn(), control: () => counted() });
port.onmessage = () => counted();

Deno.bench(
  { name: "tell 100,000 to another Worker", group: "workers", baseline: true },
  async () => {
    const ref = link.ref<unknown>("counter");
    const done = new Promise<void>((resolve) => counted = resolve);
    for (let i = 0; i < batch;) {
      const result = ref.tell(message(i));
      if (result === "accepted") i++;
      else await new Promise<void>((resolve) => credit.goOn = resolve);
    }
    await done;
  },
);

Deno.bench(
  { name: "postMessage 100,000, one by one", group: "workers", n: 3, warmup: 1 },
  async () => {
    const done = new Promise<void>((resolve) => counted = resolve);
    for (let i = 0; i < batch; i++) port.postMessage(message(i));
    await done;
  },
);

globalThis.addEventListener("unload", () => {
  worker.terminate();
  link.close("done");
  port.close();
});
