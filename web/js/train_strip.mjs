// The samples of a training: one row for each prompt, one column for each step, the base first.
import { createLightbox } from "./train_lightbox.mjs";
import { words } from "./train_words.mjs";

function part(parent, tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

const columnTitle = (step) => (step === 0 ? words("base") : String(step));

// options: {address(run, file)}
export function createStrip(options) {
  const element = document.createElement("section");
  element.className = "lorasmith-strip";
  element.setAttribute("aria-label", words("strip"));
  const table = part(element, "div", "lorasmith-strip-table");
  table.setAttribute("role", "grid");
  let training = null;
  let steps = []; // of the columns
  let rows = []; // prompts
  let drawn = ""; // what the table shows now
  let focused = [0, 0]; // row, column: the one tile that Tab reaches
  const lightbox = createLightbox(element, { onMove: move, onClose: () => tile(...focused)?.focus() });

  const shotAt = (row, column) => training.samples.get(steps[column])?.[row];
  const tile = (row, column) => table.querySelector(`[data-at="${row},${column}"]`);

  function describe(row, column) {
    const step = steps[column];
    const best = training.best?.step === step ? words("is_best") : "";
    return `${rows[row]} · ${step === 0 ? words("base_alone") : words("step", { step })}${best}`;
  }

  function point(row, column) {
    tile(...focused)?.setAttribute("tabindex", "-1");
    focused = [row, column];
    const chosen = tile(row, column);
    chosen?.setAttribute("tabindex", "0");
    return chosen;
  }

  // By so many rows and columns, over pictures that are missing, and never out of the table.
  function move(down, right) {
    let [row, column] = focused;
    do {
      row += down;
      column += right;
    } while (rows[row] !== undefined && steps[column] !== undefined && !shotAt(row, column));
    if (shotAt(row, column)) point(row, column);
    if (lightbox.open) enlarge();
    else tile(...focused)?.focus();
  }

  function enlarge() {
    const [row, column] = focused;
    const { file } = shotAt(row, column);
    lightbox.show(options.address(training.head.id, file), describe(row, column));
  }

  element.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!by) return;
    move(...by);
    event.preventDefault();
    event.stopPropagation();
  });
  element.addEventListener("wheel", (event) => {
    if (element.scrollHeight > element.clientHeight || event.shiftKey) event.stopPropagation();
  });

  function fillHead() {
    const head = part(table, "div", "lorasmith-strip-steps");
    head.setAttribute("role", "row");
    steps.forEach((step) => {
      const isBest = training.best?.step === step;
      const title = part(head, "span", `lorasmith-strip-step${isBest ? " best" : ""}`, (isBest ? "★ " : "") + columnTitle(step));
      title.setAttribute("role", "columnheader");
    });
  }

  function fillRow(prompt, row) {
    part(table, "div", "lorasmith-strip-prompt", prompt).title = prompt;
    const line = part(table, "div", "lorasmith-strip-row");
    line.setAttribute("role", "row");
    steps.forEach((step, column) => {
      const shot = shotAt(row, column);
      const cell = part(line, shot ? "button" : "span", "lorasmith-strip-tile");
      cell.setAttribute("role", "gridcell");
      if (!shot) return;
      cell.type = "button";
      cell.dataset.at = `${row},${column}`;
      cell.tabIndex = row === focused[0] && column === focused[1] ? 0 : -1;
      cell.setAttribute("aria-label", describe(row, column));
      const image = part(cell, "img", "");
      Object.assign(image, { alt: "", loading: "lazy", src: options.address(training.head.id, shot.file) });
      cell.addEventListener("click", () => {
        point(row, column);
        enlarge();
      });
    });
  }

  return {
    element,
    draw(next) {
      training = next;
      steps = [...training.samples.keys()].sort((a, b) => a - b);
      rows = training.samples.get(steps[0])?.map(({ prompt }) => prompt) ?? [];
      element.hidden = !rows.length;
      const wanted = [training.head.id, training.best?.step, ...steps].join();
      if (wanted === drawn) return;
      const atEnd = element.scrollLeft + element.clientWidth >= element.scrollWidth - 8;
      const hadFocus = table.contains(document.activeElement);
      drawn = wanted;
      if (!shotAt(...focused)) focused = [0, 0];
      table.replaceChildren();
      fillHead();
      rows.forEach(fillRow);
      if (atEnd) element.scrollLeft = element.scrollWidth;
      if (hadFocus) tile(...focused)?.focus();
    },
  };
}
