// The strength grid: a cell for each combination, its pictures and scores, the suggested one marked.
import { arrows, button, icon, keepEvents, make, meter } from "./bench_dom.mjs";
import { words } from "./bench_words.mjs";
import { createBenchZoom } from "./bench_zoom.mjs";

const SHOWN = 4;
const METERS = ["likeness", "adherence", "variety", "base_fidelity"];

const spread = (items) =>
  items.length <= SHOWN ? items : Array.from({ length: SHOWN }, (_, i) => items[Math.round((i * (items.length - 1)) / (SHOWN - 1))]);

const stem = (name) => name.replace(/^.*[\\/]/, "").replace(/\.safetensors$/, "");

// recommend(lora, strength) writes and answers in words; it may throw.
export function createGridView({ address, recommend }) {
  const element = make("section", "-view");
  element.setAttribute("aria-label", words("grid"));
  keepEvents(element);
  let grid = null;
  let zoom = null;
  let at = [0, 0]; // cell, picture

  function empty() {
    element.replaceChildren();
    make("p", "-empty", element, words("grid_empty"));
  }

  const labelOf = (cell) =>
    [...cell.strengths.map((value, i) => `${stem(grid.loras[i] ?? "")} ${value}`), cell.checkpoint].filter(Boolean).join(" · ");

  function show(said) {
    grid = said;
    element.replaceChildren();
    const head = make("header", "-legend", element);
    make("span", "-legend-what", head, grid.loras.map(stem).join(" × "));
    make("span", "-legend-key", head, words("grid_key"));
    const scroll = make("div", "-scroll", element);
    scroll.dataset.captureWheel = "true";
    const table = make("div", "-cells", scroll);
    table.style.setProperty("--lb-columns", grid.columns);
    grid.cells.forEach((cell, index) => cellTile(table, cell, index));
    arrows(table, ".lorasmith-bench-cell", () => grid.columns);
    foot(make("footer", "-foot", element));
  }

  function cellTile(table, cell, index) {
    const chosen = index === grid.suggested;
    const tile = button(`-cell${chosen ? " -cell-chosen" : ""}`, table, "", () => open(index, 0));
    tile.setAttribute("aria-label", [labelOf(cell), chosen && words("suggested"), cell.verdict].filter(Boolean).join(", "));
    const head = make("span", "-cell-head", tile);
    make("strong", "", head, cell.strengths.join(" / "));
    if (cell.checkpoint) make("span", "-cell-step", head, cell.checkpoint);
    if (chosen) {
      const flag = make("span", "-cell-flag", head);
      icon("star-fill", flag);
      flag.append(words("suggested"));
    }
    const mosaic = make("span", "-mosaic", tile);
    for (const shown of spread(cell.pictures)) {
      Object.assign(make("img", "", mosaic), { src: address(shown), alt: "", loading: "lazy", draggable: false });
    }
    for (const name of METERS) {
      meter(tile, words(`short_${name}`), cell.scores[name]).title = `${words(`score_${name}`)}, ${labelOf(cell)}`;
    }
    make("span", "-cell-verdict", tile, cell.verdict);
  }

  function foot(parent) {
    make("p", "-why", parent, grid.why);
    if (!grid.write) return;
    const { lora, strength } = grid.write;
    const said = make("span", "-said");
    said.setAttribute("role", "status");
    const write = button("-action", parent, words("write", { strength, lora: stem(lora) }), async () => {
      write.disabled = true;
      try {
        said.textContent = await recommend(lora, strength);
      } catch (error) {
        said.textContent = error.message;
        write.disabled = false;
      }
    });
    write.title = words("write_hint");
    parent.append(said);
  }

  function open(index, picture) {
    at = [index, picture];
    const cell = grid.cells[index];
    zoom ??= createBenchZoom({
      onMove: move,
      onClose: () => element.querySelectorAll(".lorasmith-bench-cell")[at[0]]?.focus(),
      keyWords: [["← →", words("next_cell")], ["↑ ↓", words("next_of_cell")], ["Esc", words("to_close")]],
    });
    zoom.show({
      pictures: [{ src: address(cell.pictures[picture]), label: grid.prompts[picture] }],
      title: labelOf(cell),
      lines: [words("verdict", cell), ...(index === grid.suggested ? [words("suggested_cell")] : [])],
      meters: METERS.map((name) => [words(`score_${name}`), cell.scores[name]]),
    }, words("cell_of", { cell: index + 1, cells: grid.cells.length, n: picture + 1, of: cell.pictures.length }));
  }

  // The same prompt and seed in the next cell, so that only the strength changes.
  function move(step, across = false) {
    const [index, picture] = at;
    const count = across ? grid.cells[index].pictures.length : grid.cells.length;
    if (across) open(index, (picture + step + count) % count);
    else open((index + step + count) % count, picture);
  }

  empty();
  return { element, show, remove: () => zoom?.remove() };
}
