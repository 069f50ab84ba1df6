// Filters with counts, order and size of the tiles.
import { part } from "./sheet_marks.mjs";
import { scoreTitle, SORTS, STATES, titled } from "./sheet_words.mjs";

const SIZES = [104, 150, 220];

function choice(parent, label) {
  const select = part(parent, "select", "lorasmith-select");
  select.setAttribute("aria-label", label);
  return select;
}

function fill(select, options, value) {
  const key = JSON.stringify(options);
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    select.replaceChildren();
    for (const [id, text] of options) part(select, "option", "", text).value = id;
  }
  select.value = value;
}

function small(parent, text, label, onClick) {
  const element = part(parent, "button", "lorasmith-button lorasmith-button-small", text);
  element.type = "button";
  element.title = label;
  element.setAttribute("aria-label", label);
  element.addEventListener("click", onClick);
  return element;
}

// {show(state)}; onChange(changes) tells what of `view` is to change.
export function createToolbar(parent, { view, onChange }) {
  const element = part(parent, "div", "lorasmith-toolbar");
  element.setAttribute("role", "toolbar");
  element.setAttribute("aria-label", "Which photos, in which order");
  const chips = part(element, "div", "lorasmith-chips");
  const buttons = Object.entries(STATES).map(([show, text]) => {
    const chip = part(chips, "button", `lorasmith-chip lorasmith-chip-${show}`);
    chip.type = "button";
    part(chip, "span", "", text);
    chip.count = part(chip, "b", "");
    chip.addEventListener("click", () => onChange({ show }));
    return [show, chip];
  });
  const order = part(element, "div", "lorasmith-order");
  const reason = choice(order, "Filter by reason");
  reason.addEventListener("change", () => onChange({ reason: reason.value }));
  const sort = choice(order, "Sort");
  sort.addEventListener("change", () => onChange({ sort: sort.value }));
  const direction = small(order, "↑", "Turn the order round", () => onChange({ descending: !view.descending }));
  const boxes = small(order, "Boxes", "Show faces and crops", () => onChange({ boxes: !view.boxes }));
  const size = small(order, "Size", "Size of the pictures", () => {
    onChange({ tile: SIZES[(SIZES.indexOf(view.tile) + 1) % SIZES.length] });
  });

  return {
    show(state) {
      const counts = state.counts();
      for (const [show, chip] of buttons) {
        chip.count.textContent = counts[show];
        chip.setAttribute("aria-pressed", String(view.show === show));
      }
      const reasons = state.reasons();
      if (view.reason && !reasons.some(([code]) => code === view.reason)) view.reason = "";
      fill(reason, [["", "Any reason"], ...reasons.map(([code, n]) => [code, `${titled(code)} (${n})`])], view.reason);
      const scores = state.scoreNames().map((name) => [`score:${name}`, `By ${scoreTitle(name).toLowerCase()}`]);
      const sorts = [...Object.entries(SORTS), ...scores];
      if (!sorts.some(([id]) => id === view.sort)) view.sort = "folder";
      fill(sort, sorts, view.sort);
      reason.classList.toggle("lorasmith-select-on", Boolean(view.reason));
      direction.textContent = view.descending ? "↓" : "↑";
      direction.disabled = view.sort === "groups";
      boxes.setAttribute("aria-pressed", String(view.boxes));
      size.title = `Size of the pictures (${["small", "middle", "large"][SIZES.indexOf(view.tile)]})`;
    },
  };
}
