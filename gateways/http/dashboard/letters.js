/**
 * What was not stored: dead letters, and topics whose readings were refused.
 *
 * @module
 */
import { byId, cell, codeCell, showTable } from "./dom.js";
import { localTime, number } from "./format.js";

export const lettersShown = 10;
const refusedShown = 10;

/** How many there are of each reason since the start, the most first. */
function reasonsText(counts) {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return sorted.map(([reason, count]) => `${reason} ${number.format(count)}`).join(" · ");
}

export function showLetters({ items }, reasons) {
  byId("replay").hidden = items.length === 0;
  const counted = reasonsText(reasons);
  const more = items.length === 0
    ? "None: every reading could be stored."
    : (items.length < lettersShown ? "" : "The newest are shown; /api/dead-letters lists all. ") +
      (counted === "" ? "" : `Since the start: ${counted}.`);
  const cellsOf = ({ arrived, topic, reason, detail, payload, payloadBase64 }) => [
    cell(localTime(arrived)),
    codeCell(topic),
    cell(reason),
    cell(detail),
    codeCell((payload ?? `base64 ${payloadBase64}`).slice(0, 120)),
  ];
  showTable("letters", items, cellsOf, more);
}

/** Tries all dead letters again, and says what came of it. */
export async function replay() {
  byId("replay").disabled = true;
  try {
    const answer = await fetch("/api/dead-letters/replay", { method: "POST" });
    const body = await answer.json();
    byId("replayed").textContent = answer.ok
      ? `${number.format(body.replayed)} tried again, ${number.format(body.remaining)} left`
      : body.detail;
  } catch (error) {
    byId("replayed").textContent = error.message;
  }
  byId("replay").disabled = false;
}

/** What the reasons of refusals mean that are met first. */
const refusals = {
  no_route: "no route takes the topic",
  no_fields: "nothing in the payload is a number, or else what its route stores",
};

export function showRefused({ items, forgotten }, reasons) {
  const counted = reasonsText(reasons);
  const meant = Object.entries(refusals).filter(([reason]) => reasons[reason] > 0);
  const more = counted === "" ? "None. Topics that no route takes are named here." : [
    `Since the start: ${counted}. What is refused is kept nowhere.`,
    ...meant.map(([reason, meaning]) => `${reason}: ${meaning}.`),
    items.length + forgotten > refusedShown ? "/api/refused-topics lists the latest topics." : "",
  ].join(" ");
  const cellsOf = ({ last, topic, reason, count }) => [
    cell(localTime(last)),
    codeCell(topic),
    cell(reason),
    cell(number.format(count)),
  ];
  showTable("refused", items.slice(0, refusedShown), cellsOf, more);
}
