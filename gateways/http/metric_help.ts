/**
 * What every metric says: `# HELP` of `GET /metrics`, and docs/metrics.md, which `deno task docs`
 * makes of it. A name in the code that is not here fails that, and so does one here that is nowhere
 * in the code.
 *
 * @module
 */

/** Metrics by their names; in a name that ends in a reason, `*` stands for that. */
export const metricHelp: Readonly<Record<string, string>> = {
  sluice_readings_received_total: "Readings that came in, by transport.",
  sluice_readings_settled_total: "Readings whose fate is durable, by outcome and reason.",
  sluice_readings_in_flight: "Readings received and not yet durable.",
  sluice_spool_readings: "Readings that are durable in the spool and not yet in the store.",
  sluice_spool_bytes: "Bytes of the spool on disk.",
  sluice_settle_seconds: "Seconds from receiving a reading to its being durable.",
  sluice_store_seconds: "Seconds that a write to the store took.",
  sluice_mailbox_depth: "Messages that wait in mailboxes, by kind of actor.",
  sluice_actor_restarts_total: "Restarts of actors, by kind.",
  sluice_sessions: "Live connections, by transport.",
  sluice_devices: "Known devices, by presence.",
  sluice_shard_ready: "1 when the shard takes readings and reaches the store and its brokers.",
  sluice_build_info: "Always 1; the version is a label.",

  sluice_readings_rewritten_total:
    "Readings written to the store again after its outage or restart.",
  sluice_readings_rewrite_refused_total:
    "Readings that the store took before and refused when they were written again.",
  sluice_readings_sent_again_total:
    "Readings under way when their shard died; their senders send them again.",
  sluice_replay_readings: "Readings on the disk that wait to be written to the store.",
  sluice_live_bytes: "Bytes of readings that wait in memory for the store.",
  sluice_lane_bytes: "Bytes of readings on their way to their devices and not settled.",
  sluice_spool_commits_total: "Commits to the spool; many readings share one.",
  sluice_spool_stalls_total: "Times the spool began to take nothing; the log says why.",
  sluice_spool_troubles_total: "Faults of the disk that were tried again; the log says which.",
  sluice_spool_torn_bytes_total: "Bytes of an unfinished write that were cut off after a crash.",
  sluice_spool_corrupt_bytes_total: "Bytes of the spool that were damaged and skipped.",
  sluice_dead_letters: "Dead letters on the disk.",
  sluice_dead_letters_bytes: "Bytes of the dead letters on the disk.",
  sluice_dead_letters_dropped_total:
    "Dead letters deleted because deadLetters.bytesMax was reached, or lost with a file that is damaged or gone.",
  sluice_store_writes_total: "Writes to the store.",
  sluice_store_bytes_total: "Bytes of line protocol written to the store.",
  sluice_store_outages_total: "Times the store began to take nothing.",
  sluice_devices_known: "Devices that are remembered.",
  sluice_topics_known:
    "Topics remembered with their route; one not heard of for device.passivateAfterMs is forgotten.",
  sluice_devices_forgotten_total: "Devices forgotten because there were too many.",
  sluice_device_actors: "Devices whose actor is active.",
  sluice_device_activations_total: "Times a device's actor was started.",
  sluice_device_code_late_points_total:
    "Points that a device's code emitted after its call had ended; they are not stored.",
  sluice_device_code_states_bytes: "Bytes of what the code of active devices keeps.",
  sluice_device_code_states_refused_total:
    "Times that what a device's code wanted kept was not: threw, not_json, too_large or no_room.",
  sluice_device_code_timeouts_total: "Calls of devices' code that did not return.",
  sluice_log_lines_lost_total: "Lines of the log that could not be written, as on a full disk.",
  sluice_ingest_overflow_total: "Batches that found no room at their owner: a defect.",
  sluice_peer_frames_malformed_total: "Frames of another Worker that could not be read: a defect.",
  sluice_broker_loops_total: "Messages that a broker gave back after they had gone out from here.",
  sluice_rate_limited_total: "Times a sender was held to its rate, by whose rate it is.",
  sluice_bans_total: "Bans of those who connect and end again and again.",
  sluice_connections_refused_total: "Connections turned away by a limit or a ban.",
  sluice_history_failed_total:
    "Questions to the embedded store's history that failed, by why: damaged or unavailable.",
  sluice_tokens_issued_total: "Tokens that logins were given.",
  sluice_tokens_refused_total: "Tokens that were not let in.",
  sluice_logins_total: "Logins that were tried, by outcome.",

  sluice_mqtt_publish_received_total: "PUBLISH packets taken from clients.",
  sluice_mqtt_packets_received_total: "Packets taken from clients, of every kind.",
  sluice_mqtt_packets_sent_total: "Packets sent to clients, but for PUBLISH and PUBREL.",
  sluice_mqtt_bytes_received_total: "Bytes from clients.",
  sluice_mqtt_bytes_sent_total: "Bytes to clients.",
  sluice_mqtt_connections_accepted_total: "Connections that were accepted.",
  sluice_mqtt_connections_over_limit_total:
    "Connections closed at once because mqtt.connectionsMax was reached.",
  sluice_mqtt_accept_errors_total: "Times the system would not give a connection.",
  sluice_mqtt_connections_unprepared_total:
    "Connections closed before MQTT began: no TLS, certificate or PROXY header, or too slow.",
  sluice_mqtt_client_certificates_refused_total:
    "Those of them without a certificate that is let in.",
  sluice_mqtt_proxy_headers_refused_total: "Those of them without a good PROXY header.",
  sluice_mqtt_tls_reloads_total: "Times new certificates were taken.",
  sluice_mqtt_tls_reload_failures_total:
    "Times new certificates were refused and the old ones kept.",
  sluice_mqtt_wills_total: "Wills that were sent.",
  sluice_mqtt_wills_dropped_total: "Wills that found neither credit nor a place to wait for it.",
  sluice_mqtt_pauses_total:
    "Times a connection was not read for want of credit, of a place in flight, or of memory.",
  sluice_mqtt_ws_accepted_total: "Connections of MQTT over WebSocket.",
  sluice_mqtt_ws_connections: "Open connections of MQTT over WebSocket.",

  sluice_pubsub_delivered_total: "PUBLISH packets written to subscribers.",
  sluice_pubsub_released_total: "PUBREL packets written to subscribers.",
  sluice_pubsub_forwarded_total: "Messages sent to another shard, where somebody listens.",
  sluice_pubsub_handed_over_total:
    "Messages that a member of a shared subscription left when it went, and another one has.",
  sluice_pubsub_repeated_total:
    "Messages sent on again after a shard's death that had come before.",
  sluice_pubsub_shares_unwritten_total:
    "Shared subscriptions of QoS 2 messages, too many to be written down for a shard's death.",
  sluice_pubsub_malformed_total: "Messages of another shard that could not be read: a defect.",
  sluice_pubsub_subscriptions: "Subscriptions that somebody is there for.",
  sluice_pubsub_subscriptions_refused_total: "Subscriptions beyond a quota.",
  sluice_pubsub_queued_messages: "Messages that wait for connected subscribers.",
  sluice_pubsub_queued_bytes:
    "Bytes of the messages that wait for connected subscribers, or are held until a member of a shared subscription has acknowledged them.",
  sluice_pubsub_retained_refused_total: "Messages not retained for want of room.",
  sluice_pubsub_retained_over_quota_total: "Messages not retained, by the quota of their account.",
  sluice_pubsub_retained_failed_total: "Messages not retained because the disk failed.",
  sluice_retained_messages: "Retained messages.",
  sluice_retained_bytes: "Bytes of the retained messages.",
  sluice_sessions_kept: "Sessions that outlive their connection.",
  sluice_sessions_disconnected: "Those of them whose client is away.",
  sluice_sessions_queued_messages: "Messages that wait in kept sessions.",
  sluice_sessions_queued_bytes: "Bytes of the messages that wait in kept sessions.",
  sluice_sessions_refused_total: "Sessions that were not kept for want of room.",
  sluice_sessions_expired_total: "Kept sessions whose time was up.",
  sluice_sessions_revoked_total: "Kept sessions ended with their account.",
  sluice_sessions_failed_total: "Faults of the file of kept sessions.",
  sluice_sessions_missed_total:
    "Messages with QoS 1 and 2 that kept sessions may have missed, which could not be read, or not be written while the sender could not be refused.",

  sluice_http_connections: "Open connections of HTTP, WebSockets included.",
  sluice_http_connections_ended_total: "Connections of HTTP that were ended, by reason.",
  sluice_http_proxy_headers_refused_total: "Connections of HTTP without a good PROXY header.",
  sluice_http_tls_accepted_total: "TLS handshakes of HTTP that came to their end.",
  sluice_http_tls_refused_total: "Connections to HTTP's TLS port without one, by reason.",
  sluice_http_tls_reloads_total: "New certificates of HTTP that were taken.",
  sluice_http_tls_reload_failures_total: "New certificates of HTTP that were refused.",
  sluice_http_body_bytes: "Bytes of request bodies under way.",
  sluice_stations_ended_total: "Stations' WebSockets that were ended, by reason.",
  sluice_station_frame_bytes: "Bytes of stations' frames under way.",
  sluice_live_viewers: "Viewers of GET /api/live.",
  sluice_topic_followers: "Viewers that follow a topic over HTTP.",
  sluice_topic_followers_lost_total: "Messages that viewers were too slow for.",
  sluice_topic_watches: "Topics and filters whose messages are kept for viewers.",
  sluice_topic_history_bytes: "Bytes of the messages that are kept for viewers.",

  "sluice_mqtt_connections_ended_*_total": "MQTT connections ended: *.",
  "sluice_mqtt_ws_ended_*_total": "Connections of MQTT over WebSocket ended: *.",
  "sluice_pubsub_lost_*_total": "Messages that did not reach a subscriber: *.",
  "sluice_actor_dead_letters_*_total": "Messages to actors that were not handled: *.",

  process_resident_memory_bytes: "Bytes of resident memory of the process.",
  process_cpu_seconds_total: "Seconds of CPU time of the process, user and system.",
  process_start_time_seconds: "Start of the process, in seconds since the epoch.",
};

const families = Object.entries(metricHelp).filter(([name]) => name.includes("*")).map(
  ([name, text]) => [new RegExp(`^${name.replace("*", "(\\w+)")}$`), text] as const,
);

/** What the metric of that name counts; of one that is not told of here, its name in words. */
export function helpOf(name: string): string {
  const known = Object.hasOwn(metricHelp, name) ? metricHelp[name] : undefined;
  if (known !== undefined) return known;
  for (const [pattern, text] of families) {
    const reason = pattern.exec(name)?.[1];
    if (reason !== undefined) return text.replace("*", reason.replaceAll("_", " "));
  }
  const words = name.replace(/^sluice_/, "").replace(/_total$/, "").replaceAll("_", " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
