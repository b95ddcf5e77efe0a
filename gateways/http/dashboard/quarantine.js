/**
 * Quarantined devices, and another chance for them.
 *
 * @module
 */
import { byId, cell, codeCell, element, keptRows, setText } from "./dom.js";
import { localTime } from "./format.js";

const saidRefreshes = 3;
/** What was said of a release: for some refreshes, or until its device is quarantined again. */
let said = { id: undefined, refreshes: 0 };
/** Called when one was released, or could not be. */
let released = async () => {};

export function onRelease(callback) {
  released = callback;
}

function sayReleased(text, id) {
  byId("released").textContent = text;
  said = { id, refreshes: saidRefreshes };
}

function quarantineRow({ id }) {
  const button = element("button", "Give another chance");
  button.type = "button";
  button.addEventListener("click", () => release(id, button));
  return element("tr", [codeCell(id), cell("", "bad"), cell([button])]);
}

const showRows = keptRows(byId("quarantined"), quarantineRow, (row, { lastError: error }) => {
  const text = error === undefined ? "" : `${localTime(error.at)} ${error.reason}: ${error.detail}`;
  setText(row.cells[1], text);
});

export function showQuarantine({ items, next }) {
  if (said.refreshes-- <= 0 || items.some(({ id }) => id === said.id)) {
    byId("released").textContent = "";
  }
  byId("quarantine").hidden = items.length === 0 && byId("released").textContent === "";
  showRows(items);
  setText(
    byId("quarantined-more"),
    next === undefined ? "" : "There are more: /api/quarantine lists them all.",
  );
}

async function release(id, button) {
  button.disabled = true;
  try {
    const path = `/api/quarantine/${encodeURIComponent(id)}`;
    const answer = await fetch(path, { method: "DELETE" });
    if (answer.ok) sayReleased(`${id} has another chance`, id);
    else sayReleased((await answer.json()).detail);
  } catch (error) {
    sayReleased(error.message);
  }
  button.disabled = false;
  await released();
}
