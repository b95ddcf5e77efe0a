/**
 * How to send a first reading to where the service listens. Pure.
 *
 * @module
 */

const topic = "greenhouse/bench_3";
const payload = `'{"TMP":21.5}'`;

const plain = (hostname) => hostname.replace(/^\[|\]$/g, "");
const isLoopback = (hostname) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

/**
 * A command, over MQTT where that is open, and where it works.
 *
 * @param endpoints URLs that devices may connect to.
 * @param origin of this page: where HTTP is answered.
 */
export function firstReading({ endpoints, accountsRequired }, origin) {
  const urls = endpoints.map((url) => new URL(url));
  const mqtt = urls.find(({ protocol }) => protocol === "mqtt:") ??
    urls.find(({ protocol }) => protocol === "mqtts:");
  if (mqtt === undefined) {
    const token = accountsRequired ? ` -H "authorization: Bearer $TOKEN"` : "";
    const command = `curl "${origin}/api/readings?topic=${topic}"${token} --json ${payload}`;
    return { where: "from here", command };
  }
  const isTls = mqtt.protocol === "mqtts:";
  const port = mqtt.port || (isTls ? "8883" : "1883");
  const command = [
    "mosquitto_pub",
    `-h ${plain(mqtt.hostname)}`,
    ...(port === "1883" ? [] : [`-p ${port}`]),
    ...(isTls ? ["--cafile ca.pem"] : []),
    ...(accountsRequired ? ["-u NAME -P PASSWORD"] : []),
    `-t ${topic} -q 1 -m ${payload}`,
  ].join(" ");
  const isElsewhere = isLoopback(mqtt.hostname) && !isLoopback(new URL(origin).hostname);
  return { where: isElsewhere ? "on the machine of Sluice" : "from here", command };
}
