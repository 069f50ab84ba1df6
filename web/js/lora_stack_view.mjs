// What the LoRA Stack node looks like: a head, the rows, a foot. Rows keep their elements, so focus stays.
import { button, closePopup, icon, keepEvents, make } from "./lora_stack_dom.mjs";
import { createRow } from "./lora_stack_row.mjs";
import { words } from "./lora_stack_words.mjs";

// actions: those of a row, and add(anchor), toggleAll(on), presets(anchor), more(anchor), takeAll(), undo(),
// move(id, to), resized()
export function createStackView(actions) {
  const element = make("section", "-root");
  keepEvents(element);
  const body = make("div", "-body", element);

  const head = make("div", "-head", body);
  const all = make("button", "-switch", head);
  all.type = "button";
  all.setAttribute("role", "switch");
  all.setAttribute("aria-label", words("all_rows"));
  all.addEventListener("click", () => actions.toggleAll(all.getAttribute("aria-checked") !== "true"));
  const count = make("span", "-summary", head);
  const legend = make("span", "-legend", head);
  for (const zone of ["light", "normal", "strong"]) {
    make("span", `-dot ${zone}`, legend);
    legend.append(words(`legend_${zone}`));
  }
  legend.title = words("legend");
  const openPresets = () => actions.presets(presets);
  const presets = button("-icon", head, { symbol: "bookmark", label: words("presets"), onClick: openPresets });
  const more = button("-icon", head, { symbol: "ellipsis-h", label: words("more"), onClick: () => actions.more(more) });

  const list = make("ol", "-rows", body);
  const empty = make("div", "-empty", body, words("empty"));

  const foot = make("div", "-foot", body);
  const add = button("-button main", foot, { symbol: "plus", text: words("add"), onClick: () => actions.add(add) });
  const verdict = make("span", "-verdict", foot);
  const takeAll = button("-button", foot, { text: words("take_all"), onClick: actions.takeAll });
  takeAll.title = words("take_all_hint");
  const undo = button("-button", foot, { symbol: "undo", text: words("undo"), onClick: actions.undo });
  const problem = make("p", "-problem", body);
  problem.setAttribute("role", "alert");

  const rows = new Map(); // id -> row
  new ResizeObserver(() => actions.resized()).observe(body);

  // Dragging: the row goes where the pointer is, as soon as it is past the middle of a neighbour.
  function drag(id, event) {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    list.setPointerCapture(event.pointerId);
    const row = rows.get(id).element;
    row.classList.add("dragged");
    const moved = (at) => {
      const others = [...list.children].filter((item) => item !== row);
      const to = others.filter((item) => {
        const box = item.getBoundingClientRect();
        return at.clientY > box.top + box.height / 2;
      }).length;
      if (to !== [...list.children].indexOf(row)) list.insertBefore(row, others[to] ?? null);
    };
    const ended = () => {
      list.removeEventListener("pointermove", moved);
      list.removeEventListener("lostpointercapture", ended);
      row.classList.remove("dragged");
      actions.move(id, [...list.children].indexOf(row));
    };
    list.addEventListener("pointermove", moved);
    list.addEventListener("lostpointercapture", ended);
  }

  function showRows(state, facts, found) {
    for (const [id, row] of rows) {
      if (state.rows.some((said) => said.id === id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    state.rows.forEach((said, place) => {
      if (!rows.has(said.id)) rows.set(said.id, createRow(said.id, { ...actions, drag }));
      const row = rows.get(said.id);
      if (list.children[place] !== row.element) list.insertBefore(row.element, list.children[place] ?? null);
      row.show(said, facts(said.lora), found.of(said.id), state.missing);
    });
  }

  function showVerdict(found) {
    verdict.replaceChildren();
    verdict.dataset.tone = "";
    if (found.compared < 2 || !found.verdict) return;
    const tone = { fits: "good", overlapping: "warn", "too loud": "warn" }[found.verdict] ?? "bad";
    verdict.dataset.tone = tone;
    icon(tone === "good" ? "check-circle" : "exclamation-triangle", verdict);
    verdict.append(words(`verdict_${found.verdict.replaceAll(" ", "_")}`));
    verdict.title = found.sentences.join("\n") || words("on_weights");
  }

  return {
    element,
    // facts(name) and found: see the controller
    show(state, facts, found, canUndo) {
      const used = state.rows.filter((row) => row.on);
      all.setAttribute("aria-checked", String(used.length > 0));
      all.hidden = !state.rows.length;
      count.textContent = state.rows.length ? words("on_of", { n: used.length, of: state.rows.length }) : "";
      empty.hidden = state.rows.length > 0;
      legend.hidden = !state.rows.length;
      showRows(state, facts, found);
      showVerdict(found);
      takeAll.hidden = !used.some((row) => {
        const value = found.of(row.id).suggested;
        return value !== undefined && Math.abs(value - row.model) >= 0.01;
      });
      undo.hidden = !canUndo;
    },
    showProblem(text) {
      problem.textContent = text;
      problem.hidden = !text;
    },
    focusRow: (id) => rows.get(id)?.focus(),
    focusStrength: (id) => rows.get(id)?.focusStrength(),
    anchorOf: (id) => rows.get(id)?.element ?? element,
    wantedHeight() {
      const height = Math.ceil(body.offsetHeight) || 90;
      element.style.minHeight = `${height}px`; // all that Nodes 2.0 looks at
      return height;
    },
    removed: closePopup,
  };
}
