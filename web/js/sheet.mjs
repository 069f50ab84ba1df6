// The contact sheet on Audit Photos: verdicts as pictures, and the user's own decisions.
import { createSuggestions } from "./sheet_crops.mjs";
import { createHead } from "./sheet_head.mjs";
import { SheetGrid } from "./sheet_grid.mjs";
import { part } from "./sheet_marks.mjs";
import { sections } from "./sheet_order.mjs";
import { SheetState } from "./sheet_state.mjs";
import { createToolbar } from "./sheet_toolbar.mjs";
import { KEYS, nothingFor, words } from "./sheet_words.mjs";
import { createZoom } from "./sheet_zoom.mjs";

const EMPTY_HEIGHT = 64; // before the first run
const SHEET_HEIGHT = 400; // least, with photos
const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];
const DECISIONS = { k: "keep", x: "reject", u: null, Delete: null, Backspace: null };
const NOTHING = words("nothing");

// What was shown, by place in the workflow: ComfyUI makes nodes anew when it undoes or changes tabs.
const remembered = new Map();

// options: {document, address(token, size), suggest(token), fetchModels(id), onChange(text), place()}
export function createSheet(options) {
  const { document } = options;
  const element = document.createElement("section");
  element.className = "lorasmith-sheet";
  element.setAttribute("aria-label", words("sheet"));
  const view = { show: "all", reason: "", sort: "folder", descending: false, boxes: true, tile: 150 };
  const state = new SheetState((text) => {
    refresh();
    remember();
    options.onChange(text);
  });

  const head = createHead(element, { onForget: () => state.forgetWaiting(), onFetch: options.fetchModels });
  const body = part(element, "div", "lorasmith-sheet-body");
  const toolbar = createToolbar(body, { view, onChange: changeView });
  const suggestions = createSuggestions(options.suggest, (token) => {
    grid.refreshPhoto(token);
    zoom?.refreshCrop();
  });
  const grid = new SheetGrid(body, {
    state,
    suggestions,
    address: options.address,
    showsBoxes: () => view.boxes,
    sort: () => view.sort,
    tileSide: () => view.tile,
    onOpen: openZoom,
    onPick: () => grid.element.focus({ preventScroll: true }),
  });
  const keys = part(body, "footer", "lorasmith-keys");
  for (const [key, word] of KEYS) {
    part(keys, "kbd", "", key);
    part(keys, "span", "", word);
  }
  const spoken = part(element, "div", "lorasmith-spoken");
  spoken.setAttribute("role", "status");
  body.hidden = true;
  head.showEmpty(NOTHING);
  let zoom = null;

  // -- showing ----------------------------------------------------------------------------------

  // Same photos in the same places; verdicts may be new.
  function refresh() {
    if (!state.data) return head.showEmpty(NOTHING, state.waiting.length);
    head.show(state);
    toolbar.show(state);
    grid.refresh();
    zoom?.refresh();
  }

  function rearrange() {
    grid.show(sections(state, view), nothingFor(view));
  }

  function changeView(changes) {
    Object.assign(view, changes);
    toolbar.show(state);
    rearrange();
    remember();
    if ("show" in changes) grid.element.focus({ preventScroll: true });
  }

  function remember() {
    const place = options.place();
    if (place) remembered.set(place, { view: { ...view }, past: state.past, future: state.future, text: state.text });
  }

  function recall() {
    const known = remembered.get(options.place());
    if (!known) return;
    Object.assign(view, known.view);
    if (known.text === state.text) [state.past, state.future] = [known.past, known.future];
  }

  // -- keys -------------------------------------------------------------------------------------

  function say(indices, verdict) {
    const what = indices.length === 1 ? state.photos[indices[0]].name : words("photos", { count: indices.length });
    const word = { keep: "is_kept", reject: "is_out" }[verdict] ?? "key_judged";
    const { kept, all } = state.counts();
    spoken.textContent = words("decided", { what, word: words(word), kept, all });
  }

  function decide(verdict) {
    const indices = zoom?.open ? [grid.index] : grid.indices;
    state.decide(indices, verdict);
    say(indices, verdict);
  }

  // Keys of the grid and of the large view; true when the key was ours.
  function handleKey(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z" && !event.shiftKey) state.undo();
      else if (key === "y" || key === "z") state.redo();
      else if (key === "a" && !zoom?.open) grid.chooseAll();
      else return false;
    } else if (event.altKey) return false;
    else if (ARROWS.includes(key)) move(key, event.shiftKey && !zoom?.open);
    else if (key in DECISIONS) decide(DECISIONS[key]);
    else if (key === " " || key === "Enter") {
      if (event.target.closest?.("button")) return false;
      zoom?.open ? zoom.close() : openZoom();
    } else return false;
    event.preventDefault();
    return true;
  }

  function move(key, extend) {
    grid.move(key, extend);
    if (zoom?.open) showZoom();
  }

  grid.element.addEventListener("keydown", (event) => handleKey(event) && event.stopPropagation());
  // Delete on a button of the sheet must not delete the node.
  element.addEventListener("keydown", (event) => {
    if (event.key === "Delete" || event.key === "Backspace") event.stopPropagation();
  });
  element.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) return; // zooms the graph
    const scroller = event.target.closest(".lorasmith-grid, .lorasmith-head-more");
    if (scroller && scroller.scrollHeight > scroller.clientHeight) event.stopPropagation();
  });

  // -- the large view ---------------------------------------------------------------------------

  function openZoom() {
    if (grid.index < 0) return;
    zoom ??= createZoom(document, {
      state,
      address: options.address,
      suggestions,
      onKey: handleKey,
      onChange: refresh,
      onClose: () => grid.element.focus({ preventScroll: true }),
    });
    showZoom();
  }

  function showZoom() {
    zoom.present(grid.index, words("one_of", { n: grid.at + 1, of: grid.plan.cells.length }));
  }

  return {
    element,
    state,
    get text() {
      return state.text;
    },
    set text(text) {
      state.setText(text);
      refresh();
    },
    showReport(report, output) {
      const data = output?.lorasmith_sheet?.[0];
      head.showReport(report);
      if (!data) return;
      state.setData(data);
      recall();
      body.hidden = false;
      refresh();
      rearrange();
    },
    showStatus: (status) => head.showStatus(status),
    showStopped() {
      if (head.showStopped() && state.data) head.show(state, words("was_stopped"));
    },
    wantedHeight() {
      const height = state.data ? SHEET_HEIGHT : EMPTY_HEIGHT;
      element.style.minHeight = `${height}px`; // all that Nodes 2.0 looks at
      return height;
    },
    remove: () => zoom?.remove(),
  };
}
