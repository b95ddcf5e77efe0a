/**
 * Elements of the page. All that comes from outside is set as text, never as markup.
 *
 * @module
 */

export const byId = (id) => document.getElementById(id);

/** An element with text or children; a class when given. */
export function element(tag, content, className) {
  const made = document.createElement(tag);
  if (className !== undefined) made.className = className;
  if (Array.isArray(content)) made.append(...content);
  else made.textContent = content;
  return made;
}

export const cell = (content, className) => element("td", content, className);
export const codeCell = (text) => cell([element("code", text)]);

/** Touches nothing that says so already: a selection stays, and nobody is told of it again. */
export function setText(node, text, className) {
  if (node.textContent !== text) node.textContent = text;
  if (className !== undefined && node.className !== className) node.className = className;
}

/** Fills a table with a row an item, of the cells that `cellsOf` makes, and says `more` below it. */
export function showTable(id, items, cellsOf, more) {
  byId(id).replaceChildren(...items.map((item) => element("tr", cellsOf(item))));
  setText(byId(`${id}-more`), more);
}

/**
 * Shows items in a table, each in the same row for as long as it is there: for the focus, for what
 * is selected, and for clicks. `make` makes an item's row, `update` says in it what may change.
 */
export function keptRows(table, make, update) {
  const rows = new Map();
  return (items) => {
    const ids = new Set(items.map(({ id }) => id));
    for (const [id, row] of rows) {
      if (ids.has(id)) continue;
      row.remove();
      rows.delete(id);
    }
    for (const [i, item] of items.entries()) {
      const row = rows.get(item.id) ?? make(item);
      rows.set(item.id, row);
      update(row, item);
      // Those that stay are in order already: what is moved loses the focus.
      if (table.rows[i] !== row) table.insertBefore(row, table.rows[i] ?? null);
    }
  };
}
