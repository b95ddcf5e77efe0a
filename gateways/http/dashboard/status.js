/**
 * The books: what the service is, totals and rates.
 *
 * @module
 */
import { byId, element } from "./dom.js";
import { ago, bytes, number, short } from "./format.js";

const samplesMax = 60;

/** Received and stored totals over time, for the rates. */
const samples = [];

/** Rate between the last two samples, 0 when a restart set the totals back. */
function rate(key) {
  const [last, before] = [samples.at(-1), samples.at(-2)];
  if (before === undefined) return 0;
  return Math.max(0, (last[key] - before[key]) / ((last.at - before.at) / 1000));
}

export function showStatus(status) {
  const { readings, devices } = status;
  samples.push({ at: Date.now(), received: readings.received, stored: readings.stored });
  if (samples.length > samplesMax) samples.shift();

  const ready = status.notReady.length === 0;
  byId("ready").textContent = ready ? "ready" : "not ready";
  byId("ready").className = `pill ${ready ? "good" : "bad"}`;
  byId("reasons").hidden = ready;
  byId("reasons").textContent = status.notReady.join(" · ");

  const facts = [
    ["gateway", status.gateway],
    ["store", status.store],
    ["shards", status.shards],
    ["up", ago(Date.parse(status.now) - Date.parse(status.started))],
    ["version", status.version],
  ];
  byId("service").replaceChildren(
    ...facts.map(([name, value]) => element("div", [element("dt", name), element("dd", value)])),
  );

  const tiles = [
    ["received a second", number.format(rate("received"))],
    ["stored a second", number.format(rate("stored"))],
    ["stored in all", short.format(readings.stored), number.format(readings.stored)],
    ["in flight", number.format(readings.inFlight)],
    [`in the spool, ${bytes(status.spoolBytes)}`, number.format(readings.spool)],
    [
      "new dead letters",
      number.format(readings.deadLettered),
      undefined,
      readings.deadLettered > 0,
    ],
    ["duplicates", number.format(readings.duplicate)],
    ["refused", number.format(readings.refused), undefined, readings.refused > 0],
    ["connections", number.format(status.sessions)],
    ["devices online", number.format(devices.online)],
    [
      "devices silent, offline",
      `${number.format(devices.silent)}, ${number.format(devices.offline)}`,
      undefined,
      devices.offline > 0,
    ],
    ["restarts of actors", number.format(status.restarts), undefined, status.restarts > 0],
  ];
  byId("tiles").replaceChildren(...tiles.map(([name, value, title, warn]) => {
    const tile = element("div", [element("b", value), element("span", name)], "tile");
    if (title !== undefined) tile.title = title;
    if (warn) tile.firstChild.className = "warn";
    return tile;
  }));
  showRates();
}

function showRates() {
  const rates = samples.slice(1).map((sample, i) =>
    Math.max(0, (sample.received - samples[i].received) / ((sample.at - samples[i].at) / 1000))
  );
  if (rates.length === 0) return;
  const top = Math.max(1, ...rates);
  const step = 600 / (samplesMax - 2);
  const from = 600 - (rates.length - 1) * step;
  const points = rates.map((one, i) => `${from + i * step},${116 - (one / top) * 110}`);
  byId("rate-line").setAttribute("points", points.join(" "));
  byId("rate-area").setAttribute("d", `M${from},118L${points.join("L")}L600,118Z`);
  const spanMs = samples.at(-1).at - samples[0].at;
  byId("rate-caption").textContent = `readings received a second over the last ${
    ago(spanMs)
  }, at most ${number.format(top)}`;
}
