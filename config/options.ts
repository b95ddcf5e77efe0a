/**
 * The option table: every option with default, unit and meaning. Its own words are what users read
 * in docs/configuration.md and in the editor; `deno task docs` writes both from here.
 *
 * @module
 */
import { ackLevels } from "../actors/readings_frame.ts";
import { type RouteConfig, routeSchema } from "../actors/route_config.ts";
import {
  accountRate,
  brokerUrl,
  headerText,
  hostName,
  httpUrl,
  ipNetwork,
  label,
  listenAddress,
  postgresUrl,
  rate,
  shareName,
  signingKey,
  topicFilter,
} from "./formats.ts";
import {
  choice,
  exactFlag,
  flag,
  integer,
  list,
  objects,
  section,
  text,
  type ValueOf,
} from "./option.ts";

const kib = 1024;
const mib = 1024 * kib;
const gib = 1024 * mib;

const certificateReloadMs = integer({
  default: 10_000,
  unit: "ms",
  min: 100,
  max: 86_400_000,
  doc:
    "How often to look whether the files have changed. New connections then get the new certificate, those that are open go on.",
});

const clientCertificates = {
  clientCaFile: text({
    default: undefined,
    doc:
      "Certificates of the CAs that issue certificates to clients, intermediate ones too, PEM. With it clients are asked for a certificate.",
  }),
  clientCrlFile: text({
    default: undefined,
    doc:
      "Revocation lists of those CAs, PEM; one that is missing or out of date lets none of its CA's certificates in. Without the file none is revoked.",
  }),
  clientCertificate: choice(["required", "optional"], {
    default: "required",
    doc: "Whether a client without a certificate is refused, or may log in otherwise.",
  }),
  clientName: choice(["commonName", "dnsName", "uri", "email"], {
    default: "commonName",
    doc:
      "Which name in the certificate is the account's: the subject's common name, or the subject alternative name of that kind. There must be exactly one.",
  }),
};

const ratesOf = (whom: string) =>
  section(`Of ${whom}.`, {
    messages: text({
      default: undefined,
      defaultDoc: "unlimited",
      format: rate,
      doc: "Messages: a PUBLISH, an item of a request, a reading of a station.",
    }),
    points: text({
      default: undefined,
      defaultDoc: "unlimited",
      format: rate,
      doc:
        "Values in messages. What a message holds is known after it was taken: see docs/limits.md.",
    }),
  });

const flaps = (whose: string) =>
  text({
    default: undefined,
    defaultDoc: "no ban",
    format: rate,
    doc: `How many connections of ${whose} may end in a time; one more bans it.`,
  });

export const options = section("The configuration of Sluice.", {
  dataDir: text({
    default: "data",
    doc:
      "Directory of the spool, the embedded store and the dead letters. Only one process may use it at a time.",
  }),
  shards: integer({
    default: undefined,
    defaultDoc: "the number of cores",
    min: 1,
    max: 256,
    doc: "Web Workers that take, check and store readings.",
  }),
  gatewayId: text({
    default: undefined,
    defaultDoc: "the host name and a short id kept in the data directory",
    format: label,
    doc:
      "Tag `gateway` on every point, unless its route sets that tag otherwise, and label on every metric.",
  }),
  ack: choice(ackLevels, {
    default: "spooled",
    doc:
      "When a reading is acknowledged: once it is safe on this disk (`spooled`), or once the store has it (`stored`). A route may choose for itself.",
  }),
  mqtt: section("The MQTT endpoint that devices connect to.", {
    listen: text({
      default: "127.0.0.1:1883",
      format: listenAddress,
      doc: "Address for plain MQTT. Empty turns it off.",
    }),
    tls: section("MQTT over TLS, beside or instead of the plain address.", {
      listen: text({
        default: "",
        format: listenAddress,
        doc: "Address for MQTT over TLS, usually port 8883. Empty turns it off.",
      }),
      certFile: text({ default: undefined, doc: "Certificate chain, PEM." }),
      keyFile: text({ default: undefined, doc: "Private key, PEM." }),
      ...clientCertificates,
      reloadMs: certificateReloadMs,
    }),
    webSocket: flag({
      default: true,
      doc:
        "MQTT over WebSocket, at `/mqtt` of `http.listen` and `http.tls.listen`. Who may connect from where is what HTTP's options say.",
    }),
    proxyProtocol: list({
      default: [],
      format: ipNetwork,
      doc:
        "Addresses and networks of the proxies that begin each connection to `mqtt.listen` and `mqtt.tls.listen` with a header of the PROXY protocol, version 1 or 2. Limits, bans and the log then go by the client's address. Others connect without one.",
    }),
    deniedPublish: choice(["acknowledge", "disconnect"], {
      default: "acknowledge",
      doc:
        "What an MQTT 3 client gets that publishes what its account may not: the acknowledgement, while the message is counted as refused, or the end of its connection. MQTT 5 has a reason code for it.",
    }),
    insecureAllowAnonymousRemote: flag({
      default: false,
      doc:
        "Lets clients of other machines in without an account: whoever reaches the port can send readings in any device's name.",
    }),
    insecureAllowPlaintextRemote: flag({
      default: false,
      doc:
        "Lets `mqtt.listen` take connections of other machines without TLS: passwords, tokens and readings can be read and changed on the way.",
    }),
    connectionsMax: integer({
      default: 20_000,
      min: 1,
      max: 1_000_000,
      doc: "Connections at once, over all shards. Further ones are closed at once.",
    }),
    connectTimeoutMs: integer({
      default: 10_000,
      unit: "ms",
      min: 100,
      max: 600_000,
      doc: "How long a new connection may take to send CONNECT.",
    }),
    sysIntervalMs: integer({
      default: 10_000,
      unit: "ms",
      min: 0,
      max: 3_600_000,
      doc: "How often the topics below `$SYS` are brought up to date. 0 turns them off.",
    }),
    keepAliveMaxS: integer({
      default: 3_600,
      unit: "s",
      min: 1,
      max: 65_535,
      doc: "Longest keep-alive a client may have. MQTT 5 clients are told; others are held to it.",
    }),
    receiveMaximum: integer({
      default: 1_024,
      min: 1,
      max: 65_535,
      doc: "QoS 1 and 2 messages of one connection that may wait for their acknowledgement.",
    }),
    qos2Max: integer({
      default: 65_535,
      min: 1,
      max: 65_535,
      doc:
        "QoS 2 messages of one session whose PUBREL has not come. One more is refused with 0x97, or ends the connection before MQTT 5.",
    }),
    packetBytesMax: integer({
      default: 512 * kib,
      unit: "bytes",
      min: kib,
      max: 256 * mib,
      doc: "Largest MQTT packet. A larger one closes its connection before it is read.",
    }),
    sessions: section("Sessions that outlive their connection, and what waits for them.", {
      expiryMaxS: integer({
        default: 604_800,
        unit: "s",
        min: 0,
        max: 0xffffffff,
        doc:
          "How long a session may outlive its connection; MQTT 5 clients that ask for more are told. One of MQTT 3 without clean session is kept so long. 0: none is kept.",
      }),
      countMax: integer({
        default: 20_000,
        min: 1,
        max: 1_000_000,
        doc: "Sessions that are kept, over all shards. Beyond it no new one is let in.",
      }),
      queueMessagesMax: integer({
        default: 10_000,
        min: 1,
        max: 60_000,
        doc: "QoS 1 and 2 messages that wait for one session. Further ones are lost, and counted.",
      }),
      queueBytesMax: integer({
        default: 16 * mib,
        unit: "bytes",
        min: kib,
        doc: "The same in bytes.",
      }),
      bytesMax: integer({
        default: gib,
        unit: "bytes",
        min: kib,
        doc: "What waits for all sessions together, on the disk.",
      }),
    }),
  }),
  broker: section("MQTT brokers that Sluice subscribes to.", {
    urls: list({
      default: [],
      format: brokerUrl,
      env: "SLUICE_BROKER_URL",
      doc:
        "One connection each: `mqtt://user:pass@host:port`, also `mqtts://`, `ws://`, `wss://`. In a name or password `%` is written `%25`, and a comma, which parts the URLs of the variable, `%2C`.",
    }),
    topics: list({
      default: undefined,
      defaultDoc: "the topic filters of the routes",
      format: topicFilter,
      doc: "Topic filters to subscribe to.",
    }),
    share: text({
      default: undefined,
      format: shareName,
      doc: "Shared-subscription group, so that several processes divide the messages.",
    }),
    qos: choice([0, 1, 2], { default: 1, doc: "QoS of the subscriptions." }),
    protocolVersion: choice([4, 5], {
      default: 5,
      doc: "5 is MQTT 5, 4 is MQTT 3.1.1, for brokers that refuse 5.",
    }),
    clientId: text({
      default: undefined,
      defaultDoc: "`sluice-` and the gateway id",
      format: label,
      doc: "Start of the client id; each connection adds its number, so that all differ.",
    }),
    clean: flag({
      default: false,
      doc:
        "`false` keeps the session at the broker, so that nothing is missed while Sluice is away.",
    }),
    sessionExpiryS: integer({
      default: 86_400,
      unit: "s",
      min: 0,
      max: 0xffffffff,
      doc: "How long an MQTT 5 broker keeps the session after a disconnect.",
    }),
    receiveMaximum: integer({
      default: 1_024,
      min: 1,
      max: 65_535,
      doc: "QoS 1 and 2 messages the broker may send ahead of our acknowledgements (MQTT 5).",
    }),
    deliver: flag({
      default: true,
      doc:
        "Whether what comes from brokers goes on to subscribers here, too. Switch it off when a bridge that speaks MQTT 3.1.1 takes messages from here back to such a broker: they would go round for ever.",
    }),
    keepAliveS: integer({
      default: 30,
      unit: "s",
      min: 1,
      max: 65_535,
      doc: "Keep-alive towards the broker.",
    }),
    tls: section("For `mqtts://` and `wss://`.", {
      caFile: text({
        default: undefined,
        defaultDoc: "the system's authorities",
        doc: "Certificate authorities to trust, PEM.",
      }),
      certFile: text({
        default: undefined,
        doc:
          "Client certificate, PEM. It is read before each connection, so a renewed one is taken.",
      }),
      keyFile: text({ default: undefined, doc: "Private key of the client certificate, PEM." }),
    }),
  }),
  http: section("HTTP: the dashboard, health, metrics and the API.", {
    listen: text({
      default: "127.0.0.1:8080",
      format: listenAddress,
      doc: "Address for plain HTTP. Empty turns it off.",
    }),
    tls: section("HTTP over TLS, beside or instead of the plain address.", {
      listen: text({
        default: "",
        format: listenAddress,
        doc: "Address for HTTP over TLS, usually port 8443. Empty turns it off.",
      }),
      certFile: text({ default: undefined, doc: "Certificate chain, PEM." }),
      keyFile: text({ default: undefined, doc: "Private key, PEM." }),
      ...clientCertificates,
      reloadMs: certificateReloadMs,
    }),
    bodyBytesMax: integer({
      default: 4 * mib,
      unit: "bytes",
      min: kib,
      max: 64 * mib,
      doc: "Largest body of readings, as it comes and unpacked.",
    }),
    bodyTimeoutMs: integer({
      default: 30_000,
      unit: "ms",
      min: 100,
      max: 600_000,
      doc: "How long the body of a request may take to come.",
    }),
    headTimeoutMs: integer({
      default: 20_000,
      unit: "ms",
      min: 100,
      max: 600_000,
      doc: "How long the head of a request may take to come, the first one's from connecting on.",
    }),
    idleTimeoutMs: integer({
      default: 75_000,
      unit: "ms",
      min: 100,
      max: 3_600_000,
      doc:
        "How long a connection may wait for its next request, or take nothing of what it is sent.",
    }),
    connectionsMax: integer({
      default: 10_000,
      min: 1,
      max: 1_000_000,
      doc:
        "Connections at once, WebSockets included. For one more the oldest that has no request under way is closed.",
    }),
    proxyProtocol: list({
      default: [],
      format: ipNetwork,
      doc: "The same for `http.listen` and `http.tls.listen` as `mqtt.proxyProtocol` is for MQTT.",
    }),
    hostNames: list({
      default: [],
      format: hostName,
      doc:
        "Names in requests (`Host`) that are answered while no account is asked for and only this machine may connect, beside `localhost` and addresses: those of a proxy in front. Others are refused, as a page of another site may have led a browser here by such a name.",
    }),
    insecureAllowAnonymousRemote: flag({
      default: false,
      doc:
        "Lets other machines use the API and the dashboard without an account: whoever reaches the port sees and changes everything.",
    }),
    insecureAllowPlaintextRemote: flag({
      default: false,
      doc:
        "Lets `http.listen` take connections of other machines without TLS: passwords and tokens can be read on the way, unless a proxy with TLS stands in front.",
    }),
  }),
  influx: section("The time-series store: InfluxDB 1.8, 2, 3 or VictoriaMetrics.", {
    url: text({
      default: undefined,
      defaultDoc: "the embedded store is the store",
      format: httpUrl,
      doc: "Base URL, such as `http://127.0.0.1:8086`.",
    }),
    token: text({
      default: undefined,
      format: headerText,
      secret: true,
      doc: "API token; for InfluxDB 1.8 `user:password`.",
    }),
    org: text({ default: undefined, doc: "Organisation (InfluxDB 2)." }),
    bucket: text({
      default: "sluice",
      doc: "Bucket; for InfluxDB 1.8 `database` or `database/retention-policy`.",
    }),
    gzip: choice(["auto", "on", "off"], {
      default: "auto",
      doc: "Compress writes. `auto`: not on this machine, else yes.",
    }),
    timeoutMs: integer({
      default: 10_000,
      unit: "ms",
      min: 100,
      max: 600_000,
      doc: "Deadline of one write.",
    }),
  }),
  store: section("How readings are written, whichever store it is.", {
    batchReadingsMax: integer({
      default: 10_000,
      min: 1,
      max: 1_000_000,
      doc: "Most readings in one write.",
    }),
    batchBytesMax: integer({
      default: 2 * mib,
      unit: "bytes",
      min: kib,
      max: 256 * mib,
      doc: "Most bytes of line protocol in one write.",
    }),
    batchAgeMs: integer({
      default: 100,
      unit: "ms",
      min: 0,
      max: 60_000,
      doc: "How long a reading may wait for others to be written with.",
    }),
    retentionMs: integer({
      default: undefined,
      defaultDoc: "unlimited",
      unit: "ms",
      min: 60_000,
      doc: "Age at which the embedded store deletes points.",
    }),
    retentionBytesMax: integer({
      default: undefined,
      defaultDoc: "unlimited",
      unit: "bytes",
      min: 16 * mib,
      doc: "Size at which the embedded store deletes its oldest points.",
    }),
  }),
  spool: section("The disk buffer that every reading passes before it is acknowledged.", {
    bytesMax: integer({
      default: 10 * gib,
      unit: "bytes",
      min: mib,
      doc: "Most bytes on disk, over all shards.",
    }),
    ageMaxMs: integer({
      default: undefined,
      defaultDoc: "unlimited",
      unit: "ms",
      min: 60_000,
      doc: "Age at which readings that could not be stored are given up, and counted as refused.",
    }),
    full: choice(["backpressure", "drop_oldest"], {
      default: "backpressure",
      doc:
        "What happens when the spool, or its disk, is full: take nothing more until the store catches up, or lose the oldest readings, counted as refused.",
    }),
    segmentBytes: integer({
      default: 32 * mib,
      unit: "bytes",
      min: 64 * kib,
      max: gib,
      doc: "Size at which a new segment file is begun.",
    }),
    keepMs: integer({
      default: 30_000,
      unit: "ms",
      min: 0,
      max: 86_400_000,
      doc:
        "How long readings stay readable after the store said yes. They are written again when the store comes back from an outage, for a yes is not yet durable in every store.",
    }),
  }),
  deadLetters: section("Readings that can never be stored, kept with the reason.", {
    bytesMax: integer({
      default: 256 * mib,
      unit: "bytes",
      min: 64 * kib,
      doc: "Most bytes on disk, over all shards. Beyond it the oldest are deleted, and counted.",
    }),
  }),
  device: section("What Sluice remembers of each device.", {
    silentAfterMs: integer({
      default: 60_000,
      unit: "ms",
      min: 100,
      doc: "Without a reading for so long a device is silent.",
    }),
    offlineAfterMs: integer({
      default: 600_000,
      unit: "ms",
      min: 100,
      doc: "Without a reading for so long a device is offline.",
    }),
    passivateAfterMs: integer({
      default: 900_000,
      unit: "ms",
      min: 1_000,
      doc:
        "Without a reading for so long a device is put aside in its compact form until the next.",
    }),
    activeMax: integer({
      default: 200_000,
      min: 1,
      max: 10_000_000,
      doc: "Devices active at once, over all shards. Beyond it the longest idle one is put aside.",
    }),
    codeTimeoutMs: integer({
      default: 500,
      unit: "ms",
      min: 0,
      max: 600,
      doc:
        "How long the code of a route's `module` may take for one reading; then it is ended and " +
        "the reading is a dead letter. All else in its shard waits meanwhile, and has its turn " +
        "before the next such call; a shard that is silent for 5 s is taken for dead. 0: no " +
        "limit, which saves some 20 µs a reading; then code that never returns takes the service " +
        "down with it.",
    }),
    codeStateBytesMax: integer({
      default: 4 * kib,
      unit: "bytes",
      min: 64,
      max: 16 * kib,
      doc: "What the code of one device may keep over passivation and restarts (`save` in " +
        "docs/routes.md), as JSON. What is larger is not kept, which is counted and logged; what " +
        "was kept before stays.",
    }),
  }),
  limits: section("What one payload, and the whole process, may take.", {
    memoryBytesMax: integer({
      default: 512 * mib,
      unit: "bytes",
      min: 64 * mib,
      doc: "Budget of all queues and buffers. The limits of each are derived from it at start.",
    }),
    payloadBytesMax: integer({
      default: 256 * kib,
      unit: "bytes",
      min: 64,
      max: 256 * mib,
      doc: "Largest payload of one reading.",
    }),
    jsonDepthMax: integer({
      default: 32,
      min: 1,
      max: 1_000,
      doc: "Deepest nesting of a payload.",
    }),
    fieldsMax: integer({ default: 256, min: 1, max: 65_536, doc: "Most fields of one reading." }),
    topicsMax: integer({
      default: 200_000,
      min: 1_000,
      max: 10_000_000,
      doc: "Topics remembered with their route, in each shard. More are taken, but slower.",
    }),
    rates: section(
      'What one sender may send: `"20:1,600:60"` is 20 in a second and 600 in a minute. See docs/limits.md.',
      {
        device: ratesOf("one device, over all of its connections"),
        account: ratesOf("one account, over all of its connections"),
        address: ratesOf("one IP address; of IPv6, a /64"),
        accounts: list({
          default: [],
          format: accountRate,
          doc:
            'Messages of single accounts, in place of `account.messages`: `"UPB/gateway=2000:1"`.',
        }),
      },
    ),
    subscribers: section("What clients that subscribe may take. See docs/mqtt.md.", {
      subscriptionsPerSessionMax: integer({
        default: 1_000,
        min: 1,
        max: 1_000_000,
        doc: "Subscriptions of one session. One more is answered with 0x97, quota exceeded.",
      }),
      subscriptionsMax: integer({
        default: 200_000,
        min: 1,
        max: 100_000_000,
        doc: "Subscriptions in all; each shard has an equal share.",
      }),
      filterLevelsMax: integer({
        default: 64,
        min: 1,
        max: 512,
        doc: "Levels of a filter. One with more is answered with 0x97, quota exceeded.",
      }),
      inFlightMax: integer({
        default: 1_024,
        min: 1,
        max: 65_535,
        doc:
          "QoS 1 and 2 messages on their way to one subscriber that it has not acknowledged. A client may allow fewer by its receive maximum.",
      }),
      queueMessagesMax: integer({
        default: 10_000,
        min: 1,
        max: 1_000_000,
        doc: "Messages that may wait for one subscriber that does not keep up.",
      }),
      queueBytesMax: integer({
        default: mib,
        unit: "bytes",
        min: kib,
        max: gib,
        doc:
          "The same in bytes; a share of `limits.memoryBytesMax` is for all of them together, and no one gets more than that.",
      }),
      retainedMax: integer({
        default: 200_000,
        min: 0,
        max: 100_000_000,
        doc: "Retained messages. One more is delivered and not kept.",
      }),
      retainedBytesMax: integer({
        default: gib,
        unit: "bytes",
        min: 0,
        doc: "The same in bytes, on disk.",
      }),
    }),
    connections: section("How clients connect, over MQTT and to /ws. See docs/limits.md.", {
      rate: text({
        default: undefined,
        defaultDoc: "unlimited",
        format: rate,
        doc: "New connections, of everybody together.",
      }),
      ratePerAddress: text({
        default: undefined,
        defaultDoc: "unlimited",
        format: rate,
        doc: "New connections of one IP address; of IPv6, a /64.",
      }),
      perAddressMax: integer({
        default: undefined,
        defaultDoc: "unlimited",
        min: 1,
        max: 60_000,
        doc: "Connections of one IP address at once.",
      }),
    }),
    accounts: section(
      "What one account may have at once, over all shards. See docs/limits.md.",
      {
        sessionsMax: integer({
          default: undefined,
          defaultDoc: "unlimited",
          min: 1,
          max: 1_000_000,
          doc:
            "MQTT sessions: those that are connected, and those that are kept for their client. CONNECT of one more is answered with 0x97, quota exceeded.",
        }),
        subscriptionsMax: integer({
          default: undefined,
          defaultDoc: "unlimited",
          min: 1,
          max: 100_000_000,
          doc: "Subscriptions of those that are connected. One more is answered with 0x97.",
        }),
        retainedMax: integer({
          default: undefined,
          defaultDoc: "unlimited",
          min: 1,
          max: 100_000_000,
          doc:
            "Retained messages that it was the last to publish. One more is answered with 0x97, or not kept where MQTT has no word for that.",
        }),
      },
    ),
    flapping: section(
      "Who connects and ends again and again is banned for a time. See docs/limits.md.",
      {
        client: flaps("one client id of one account"),
        account: flaps("one account"),
        address: flaps("one IP address; of IPv6, a /64"),
        banMs: integer({
          default: 300_000,
          unit: "ms",
          min: 1_000,
          max: 31_536_000_000,
          doc: "How long a ban lasts.",
        }),
      },
    ),
  }),
  routes: objects<RouteConfig>({
    default: [],
    items: routeSchema,
    doc:
      "Routes from topics to points, tried in order before the built-in ones. See docs/routes.md.",
  }),
  builtinRoutes: section("The built-in routes, tried after `routes`.", {
    station: flag({ default: true, doc: "`{location}/{station}`: a JSON object of metrics." }),
    device: flag({ default: true, doc: '`device/{uuid}`: `{"uuid": …, "value": …}`.' }),
    weather: flag({ default: true, doc: "Weather stations over WebSocket and HTTP." }),
    line: flag({ default: true, doc: "Line protocol over HTTP." }),
    position: flag({ default: true, doc: "`{fleet}/{vehicle}/position`, and GeoJSON Features." }),
  }),
  shutdown: section("Deadlines on SIGTERM and SIGINT, one after the other.", {
    drainMs: integer({
      default: 10_000,
      unit: "ms",
      min: 0,
      max: 600_000,
      doc: "For readings in flight to be settled and acknowledged.",
    }),
    flushMs: integer({
      default: 5_000,
      unit: "ms",
      min: 0,
      max: 600_000,
      doc:
        "For the spool to be written to the store. What is left is written after the next start.",
    }),
    closeMs: integer({
      default: 3_000,
      unit: "ms",
      min: 100,
      max: 600_000,
      doc: "For files and Workers to be closed.",
    }),
  }),
  log: section("The log, on stdout.", {
    level: choice(["debug", "info", "warning", "error"], {
      default: "info",
      doc: "Least severity that is written.",
    }),
    format: choice(["text", "json"], {
      default: "text",
      doc: "`text` for people, `json` for log collectors; one line an entry in both.",
    }),
    dataFlow: exactFlag({
      default: false,
      env: "DEBUG_DATA_FLOW",
      doc:
        "Log every message with its series and values. The variable counts only when it is exactly `true`.",
    }),
  }),
  auth: section("Accounts: who may connect, and what each may do. See docs/auth.md.", {
    required: flag({
      default: false,
      doc:
        "MQTT clients and the API need an account. While this is off only this machine may connect.",
    }),
    tokenLifetimeS: integer({
      default: 3_600,
      unit: "s",
      min: 60,
      max: 604_800,
      doc: "How long a token is valid. A session that came with it ends with it.",
    }),
    advertise: list({
      default: undefined,
      defaultDoc: "the addresses listened on; for `0.0.0.0`, the host that the login was asked at",
      format: brokerUrl,
      doc: "Where devices reach this instance, as a login tells them.",
    }),
  }),
  jwt: section("The key of tokens.", {
    secret: text({
      default: undefined,
      defaultDoc: "generated, and kept as `jwt_key` in the data directory",
      secret: true,
      format: signingKey,
      doc: "Key that signs tokens; the same for all instances.",
    }),
    previousSecret: text({
      default: undefined,
      secret: true,
      format: signingKey,
      doc: "Key that signed tokens before: what it signed stays valid while the key is changed.",
    }),
  }),
  postgres: section("Accounts in PostgreSQL.", {
    url: text({
      default: undefined,
      defaultDoc: "accounts.db in the data directory",
      format: postgresUrl,
      doc: "Database that keeps the accounts.",
    }),
  }),
});

/** The effective configuration. An option without default may be `undefined`. */
export type Config = ValueOf<typeof options>;
