// Filters with counts, order and size of the tiles.
import { part } from "./sheet_marks.mjs";
import { reasonTitle, scoreTitle, SORTS, STATES, words } from "./sheet_words.mjs";

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
  element.setAttribute("aria-label", words("toolbar"));
  const chips = part(element, "div", "lorasmith-chips");
  const buttons = STATES.map((show) => {
    const chip = part(chips, "button", `lorasmith-chip lorasmith-chip-${show}`);
    chip.type = "button";
    part(chip, "span", "", words(`state_${show}`));
    chip.count = part(chip, "b", "");
    chip.addEventListener("click", () => onChange({ show }));
    return [show, chip];
  });
  const order = part(element, "div", "lorasmith-order");
  const reason = choice(order, words("by_reason"));
  reason.addEventListener("change", () => onChange({ reason: reason.value }));
  const sort = choice(order, words("sort"));
  sort.addEventListener("change", () => onChange({ sort: sort.value }));
  const direction = small(order, "↑", words("turn_round"), () => onChange({ descending: !view.descending }));
  const boxes = small(order, words("boxes"), words("boxes_hint"), () => onChange({ boxes: !view.boxes }));
  const size = small(order, words("size"), words("size_hint"), () => {
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
      fill(reason, [["", words("any_reason")], ...reasons.map(([code, n]) => [code, `${reasonTitle(code)} (${n})`])], view.reason);
      const scores = state.scoreNames().map((name) => [`score:${name}`, words("by_score", { score: scoreTitle(name).toLowerCase() })]);
      const sorts = [...SORTS.map((id) => [id, words(`sort_${id}`)]), ...scores];
      if (!sorts.some(([id]) => id === view.sort)) view.sort = "folder";
      fill(sort, sorts, view.sort);
      reason.classList.toggle("lorasmith-select-on", Boolean(view.reason));
      direction.textContent = view.descending ? "↓" : "↑";
      direction.disabled = view.sort === "groups";
      boxes.setAttribute("aria-pressed", String(view.boxes));
      size.title = words(`size_${["small", "middle", "large"][SIZES.indexOf(view.tile)]}`);
    },
  };
}
