# Sluice in a container. Configuration comes from SLUICE_… variables or a mounted file; all that
# must survive is in /data.
#
# Inside, it listens on all addresses, without TLS: publish the ports on loopback as below, or put
# TLS in front, or mount certificates and name them: SLUICE_HTTP_TLS_LISTEN, _CERT_FILE, _KEY_FILE
# (the same for SLUICE_MQTT_TLS_…). Accounts are required; `docker logs` has the admin's password, told once.
#
#   docker build -t sluice .
#   docker run --stop-timeout 30 -p 127.0.0.1:1883:1883 -p 127.0.0.1:8080:8080 -v sluice:/data sluice

FROM denoland/deno:2.9.6 AS build
WORKDIR /app
# The packages first: they change less often than the code.
COPY deno.json deno.lock ./
RUN deno install --frozen
COPY . .
RUN deno cache --frozen main.ts topology/shard_worker.ts topology/http_worker.ts \
  gateways/store/store_worker.ts gateways/store/history_worker.ts

FROM denoland/deno:2.9.6
ENV DENO_DIR=/deno-dir \
    SLUICE_DATA_DIR=/data \
    SLUICE_MQTT_LISTEN=0.0.0.0:1883 \
    SLUICE_HTTP_LISTEN=0.0.0.0:8080 \
    SLUICE_AUTH_REQUIRED=true \
    SLUICE_MQTT_INSECURE_ALLOW_PLAINTEXT_REMOTE=true \
    SLUICE_HTTP_INSECURE_ALLOW_PLAINTEXT_REMOTE=true
COPY --from=build --chown=deno:deno /deno-dir /deno-dir
COPY --from=build --chown=root:root /app /app
RUN mkdir /data && chown deno:deno /data
WORKDIR /app
USER deno
VOLUME /data
EXPOSE 1883 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["deno", "eval", "const a = await fetch('http://127.0.0.1:8080/healthz'); Deno.exit(a.ok ? 0 : 1)"]
ENTRYPOINT ["deno", "run", "--cached-only", "--frozen", "--no-prompt", \
  "--v8-flags=--initial-old-space-size=64,--max-semi-space-size=16", \
  "--allow-net", "--allow-env", "--allow-read", "--allow-write=/data", "--allow-sys=hostname,statfs", \
  "main.ts"]
