/**
 * What must lose nothing, and the tests that show it, over every way in which readings come.
 *
 * @module
 */

/** How readings come in. */
export const transports = ["QoS 1", "QoS 2", "WebSocket", "HTTP"] as const;
export type Transport = typeof transports[number];

export interface Fault {
  readonly what: string;
  /** Which of them the tests put under it. */
  readonly over: readonly Transport[];
  /** Why not all, where that is so. */
  readonly why?: string;
  /** A file below tests/, and how a test in it is called there. */
  readonly tests: readonly (readonly [file: string, title: string])[];
}

/** Load over all of them at once: tests/support/load_fleet.ts. */
const all = transports;
const brokers = ["QoS 1", "QoS 2"] as const;

export const faults: readonly Fault[] = [
  {
    what: "`kill -9` at random moments under load",
    over: all,
    tests: [
      [
        "reliability/kill_test.ts",
        "kill -9 at ${kills} random moments under load of every transport loses nothing",
      ],
      [
        "reliability/kill_arrival_test.ts",
        "kill -9 at random moments doubles no reading that comes again with DUP",
      ],
      [
        "reliability/kill_embedded_test.ts",
        "kill -9 at random moments, embedded store: nothing missing, nothing doubled",
      ],
      [
        "reliability/kill_influxdb_test.ts",
        "kill -9 at random moments, InfluxDB 1: nothing missing, nothing doubled",
      ],
    ],
  },
  {
    what: "`kill -9` at random moments, and a start with another number of shards",
    over: all,
    tests: [[
      "reliability/kill_arrival_test.ts",
      "kill -9 at random moments doubles no reading that comes again with DUP",
    ]],
  },
  {
    what: "the store is away for 60 s, memory stays flat",
    over: all,
    tests: [[
      "reliability/outage_test.ts",
      "a store that is away for 60 s under load: memory stays flat, nothing is missing, live readings do not wait for the replay",
    ]],
  },
  {
    what: "the store hangs, and Sluice is suspended (SIGSTOP)",
    over: all,
    tests: [
      [
        "reliability/pause_test.ts",
        "a store that hangs costs nothing: readings are taken meanwhile, and stored afterwards",
      ],
      [
        "reliability/pause_test.ts",
        "Sluice stopped for longer than a Worker may be silent goes on as if nothing had been",
      ],
    ],
  },
  {
    what: "VictoriaMetrics is killed 0.2 s after its 204, and again and again under load",
    over: all,
    tests: [
      [
        "reliability/store_kill_test.ts",
        "VictoriaMetrics killed 0.2 s after its 204 gets back what it had forgotten",
      ],
      [
        "reliability/store_kill_test.ts",
        "VictoriaMetrics killed again and again under load, and with Sluice at once, loses nothing",
      ],
    ],
  },
  {
    what: "acknowledged by the store only, over its outages and kills",
    over: all,
    tests: [[
      "reliability/stored_ack_test.ts",
      "with ack stored, every reading is acknowledged in the end, over outages of the store and kills",
    ]],
  },
  {
    what: "a spool on 2 MB of tmpfs that fills",
    over: all,
    tests: [[
      "reliability/disk_full_test.ts",
      "a data directory on a 2 MB tmpfs that fills: backpressure, a clear word, no crash, ",
    ], [
      "reliability/disk_full_test.ts",
      "the embedded store's disk fills: backpressure, no crash, and all goes on ",
    ]],
  },
  {
    what: "Mosquitto is restarted, and Sluice killed beside it",
    over: brokers,
    why: "stations and HTTP do not come by a broker",
    tests: [[
      "reliability/mosquitto_test.ts",
      "Mosquitto restarted under load, and Sluice killed beside it, lose nothing, QoS ${qos}",
    ]],
  },
  {
    what: "a shard is killed",
    over: all,
    tests: [[
      "reliability/shard_kill_test.ts",
      "a Worker that crashes is started anew, and no acknowledged reading is lost",
    ]],
  },
  {
    what: "a shard spins for ever",
    over: all,
    tests: [[
      "reliability/shard_kill_test.ts",
      "a thread that spins ends the service in order, the other shard goes on until then, and nothing is lost",
    ]],
  },
  {
    what: "devices whose code throws on every message, or never returns, beside healthy ones",
    over: all,
    tests: [[
      "reliability/quarantine_test.ts",
      "devices that throw on every message, or spin, are quarantined, their readings are dead letters, the others go on",
    ]],
  },
  {
    what: "SIGTERM under load, also with the store away",
    over: all,
    tests: [[
      "reliability/sigterm_test.ts",
      "SIGTERM under load ends with exit code 0 and loses nothing, also with the store away",
    ]],
  },
  {
    what: "10,000 poison payloads among good ones",
    over: all,
    tests: [[
      "reliability/poison_test.ts",
      "10,000 poison payloads among good ones cost the good ones nothing, and none is silent",
    ]],
  },
  {
    what: "the network is cut, and the sender itself is killed",
    over: ["WebSocket"],
    why: "a station keeps what was not acknowledged on its own disk",
    tests: [[
      "reliability/station_test.ts",
      "a station loses nothing and doubles nothing: network cut, restarts, kill -9 of both",
    ]],
  },
];
