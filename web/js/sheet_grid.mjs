// The tiles: only those that can be seen are in the document, however many photos there are.
import { drawBoxes, part, setMark } from "./sheet_marks.mjs";
import { layout, moved } from "./sheet_order.mjs";
import { createTile } from "./sheet_tile.mjs";
import { groupTitle, scoreText, spoken, stateText, words } from "./sheet_words.mjs";

const GAP = 8;
const WORDS = 54; // height of the words below a picture, as in sheet.css
const HEAD = 34;
const LEAST_COLUMNS = 3;
const SPARE_ROWS = 2; // kept above and below what can be seen
let grids = 0;

// options: {state, address(token, size), onOpen(), onPick(), showsBoxes(), sort()}
export class SheetGrid {
  constructor(parent, options) {
    this.options = options;
    this.state = options.state;
    this.id = `lorasmith-grid-${++grids}`;
    this.element = part(parent, "div", "lorasmith-grid");
    Object.assign(this.element, { tabIndex: 0, id: this.id });
    // ComfyUI leaves Ctrl+Z to elements of this type: the sheet has its own undo.
    this.element.type = "textarea";
    for (const [name, value] of [["role", "listbox"], ["aria-label", words("photos_label")], ["aria-multiselectable", "true"]]) {
      this.element.setAttribute(name, value);
    }
    this.element.dataset.captureWheel = "true"; // Nodes 2.0: scroll when focused
    this.space = part(this.element, "div", "lorasmith-grid-space");
    this.empty = part(parent, "div", "lorasmith-grid-empty");
    this.plan = { rows: [], cells: [], height: 0 };
    this.parts = [];
    this.tiles = new Map(); // cell -> tile
    this.spare = [];
    this.heads = new Map();
    this.at = 0; // the cell that has the focus
    this.chosen = new Set([0]); // cells that keys act on
    this.element.addEventListener("scroll", () => this.#soon(), { passive: true });
    this.element.addEventListener("pointerdown", (event) => this.#pressed(event));
    this.element.addEventListener("dblclick", (event) => this.#tileUnder(event) && options.onOpen());
    new ResizeObserver(() => this.arrange()).observe(this.element);
  }

  // -- what is shown ----------------------------------------------------------------------------

  // New sections; the photo that had the focus keeps it where it is still shown.
  show(parts, message) {
    const before = this.plan.cells[this.at]?.index;
    this.parts = parts;
    this.#measure();
    const same = this.plan.cells.findIndex((cell) => cell.index === before);
    this.at = Math.max(0, same);
    this.chosen = new Set([this.at]);
    this.empty.hidden = parts.length > 0;
    this.empty.textContent = parts.length ? "" : message;
    this.element.hidden = parts.length === 0;
    this.#recycleAll();
    this.render();
  }

  // A new width: other columns.
  arrange() {
    if (!this.element.clientWidth || !this.parts.length) return;
    const first = this.plan.cells.find((cell) => cell.top >= this.element.scrollTop - 1);
    const into = first ? this.element.scrollTop - first.top : 0;
    const columns = this.columns;
    const side = this.side;
    this.#measure();
    if (columns === this.columns && side === this.side) return this.render();
    if (first) this.element.scrollTop = this.plan.cells[this.plan.cells.findIndex((c) => c.index === first.index)].top + into;
    this.#recycleAll();
    this.render();
  }

  #measure() {
    const width = Math.max(120, this.element.clientWidth - 2 * GAP || 300);
    const wanted = Math.min(this.options.tileSide(), width / LEAST_COLUMNS - GAP);
    this.columns = Math.max(LEAST_COLUMNS, Math.floor((width + GAP) / (wanted + GAP)));
    this.side = Math.floor((width - (this.columns - 1) * GAP) / this.columns);
    const shape = { columns: this.columns, tileHeight: this.side + WORDS, headHeight: HEAD, gap: GAP };
    this.plan = layout(this.parts, shape);
    this.space.style.height = `${this.plan.height + 2 * GAP}px`;
  }

  #soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.render();
    });
  }

  render() {
    const { rows, cells } = this.plan;
    const top = this.element.scrollTop - GAP;
    const bottom = top + this.element.clientHeight;
    const margin = SPARE_ROWS * (this.side + WORDS);
    const near = rows.filter((row) => row.top + row.height > top - margin && row.top < bottom + margin);
    const wanted = new Set();
    for (const row of near) for (let i = 0; i < (row.count ?? 0); i++) wanted.add(row.first + i);
    for (const [cell, tile] of this.tiles) if (!wanted.has(cell)) this.#recycle(cell, tile);
    for (const cell of wanted) if (!this.tiles.has(cell)) this.#fill(cell, cells[cell]);
    for (const tile of this.spare) tile.element.remove(); // those that were not used again at once
    this.#renderHeads(new Set(near.filter((row) => row.heads)));
    this.#mark();
    this.#wantCrops();
  }

  #renderHeads(rows) {
    for (const [row, elements] of this.heads) {
      if (rows.has(row)) continue;
      elements.forEach((element) => element.remove());
      this.heads.delete(row);
    }
    for (const row of rows) if (!this.heads.has(row)) this.heads.set(row, row.heads.map((head) => this.#head(row, head)));
  }

  #head(row, { part: { group, indices }, column, span }) {
    const element = part(this.space, "div", "lorasmith-grid-head");
    const step = this.side + GAP;
    element.setAttribute("role", "presentation");
    element.style.transform = `translate(${GAP + column * step}px, ${row.top + GAP}px)`;
    element.style.width = `${(group ? span : this.columns) * step - GAP}px`;
    part(element, "strong", "", group ? groupTitle(group.kind) : words("on_their_own"));
    part(element, "span", "", words("photos", { count: indices.length }));
    element.title = group?.text ?? "";
    return element;
  }

  #recycle(cell, tile) {
    this.tiles.delete(cell);
    this.spare.push(tile);
  }

  #recycleAll() {
    for (const [cell, tile] of [...this.tiles]) this.#recycle(cell, tile);
    this.#renderHeads(new Set());
  }

  #fill(number, cell) {
    const tile = this.spare.pop() ?? createTile(this.element.ownerDocument);
    tile.cell = number;
    tile.element.id = `${this.id}-${number}`;
    this.tiles.set(number, tile);
    const x = GAP + cell.column * (this.side + GAP);
    tile.element.style.transform = `translate(${x}px, ${cell.top + GAP}px)`;
    tile.element.style.setProperty("--side", `${this.side}px`);
    this.#picture(tile, this.state.photos[cell.index]);
    this.refreshTile(tile);
    if (tile.element.parentNode !== this.space) this.space.append(tile.element);
  }

  #picture(tile, photo) {
    const longer = Math.max(photo.width, photo.height);
    tile.frame.style.width = `${(photo.width / longer) * 100}%`;
    tile.frame.style.height = `${(photo.height / longer) * 100}%`;
    if (tile.token === photo.token && photo.token) return;
    tile.token = photo.token;
    delete tile.element.dataset.loaded;
    delete tile.element.dataset.missing;
    tile.missing.textContent = photo.unreadable ? words("cannot_read") : "";
    tile.image.hidden = !photo.token;
    if (photo.unreadable) tile.element.dataset.missing = "";
    if (photo.token) tile.image.src = this.options.address(photo.token, "tile");
    else tile.image.removeAttribute("src");
  }

  // What may change while a tile stays: verdict, boxes, number.
  refreshTile(tile) {
    const { index, group } = this.plan.cells[tile.cell];
    const photo = this.state.photos[index];
    const state = this.state.stateOf(index);
    const own = group ?? this.state.groupOf.get(index) ?? null;
    tile.element.dataset.tone = state.tone;
    setMark(tile.mark, "missing" in tile.element.dataset ? "broken" : state.tone);
    tile.yours.hidden = state.by !== "you" && !state.crop;
    tile.yours.textContent = words(state.by === "you" ? "you" : "your_crop");
    tile.tag.hidden = !own;
    tile.tag.textContent = own ? words(own.keeper === index ? "best_of_group" : "group", own) : "";
    tile.tag.title = own?.text ?? "";
    const score = this.options.sort().startsWith("score:") ? this.options.sort().slice(6) : null;
    tile.number.hidden = !score;
    tile.number.textContent = !score ? "" : score in photo.scores ? scoreText(score, photo.scores[score]) : words("not_measured");
    tile.name.textContent = photo.name;
    tile.words.textContent = stateText(photo, state);
    tile.element.title = `${photo.name}\n${stateText(photo, state)}`;
    tile.element.setAttribute("aria-label", spoken(photo, state, own));
    tile.element.setAttribute("aria-posinset", tile.cell + 1);
    tile.element.setAttribute("aria-setsize", this.plan.cells.length);
    drawBoxes(tile.boxes, photo, this.#cropOf(photo, state), Boolean(state.crop));
    tile.boxes.hidden = !this.options.showsBoxes();
  }

  #cropOf(photo, state) {
    return state.crop ?? (state.kept ? (photo.crop ?? this.options.suggestions.of(photo.token)) : null);
  }

  // The crops of the photos in view, as soon as the scrolling rests.
  #wantCrops() {
    clearTimeout(this.resting);
    if (!this.options.showsBoxes()) return;
    this.resting = setTimeout(() => {
      const indices = [...this.tiles.values()].map((tile) => this.plan.cells[tile.cell].index);
      const kept = indices.filter((index) => this.state.stateOf(index).kept && !this.state.photos[index].crop);
      this.options.suggestions.want(kept.map((index) => this.state.photos[index].token));
    }, 250);
  }

  refreshPhoto(token) {
    for (const tile of this.tiles.values()) if (tile.token === token) this.refreshTile(tile);
  }

  refresh() {
    for (const tile of this.tiles.values()) this.refreshTile(tile);
    this.#mark();
  }

  // -- focus and choice -------------------------------------------------------------------------

  get indices() {
    return [...new Set([...this.chosen].map((cell) => this.plan.cells[cell]?.index))].filter((i) => i !== undefined);
  }

  get index() {
    return this.plan.cells[this.at]?.index ?? -1;
  }

  #mark() {
    for (const [cell, tile] of this.tiles) {
      const [at, chosen] = [cell === this.at, this.chosen.has(cell)];
      if (tile.at === at && tile.chosen === chosen) continue;
      Object.assign(tile, { at, chosen });
      tile.element.classList.toggle("lorasmith-tile-at", at);
      tile.element.setAttribute("aria-selected", String(chosen));
    }
    const active = `${this.id}-${this.at}`;
    if (this.element.getAttribute("aria-activedescendant") !== active) {
      this.element.setAttribute("aria-activedescendant", active);
    }
  }

  // extend: the choice grows from where it began to the new cell.
  goTo(cell, extend = false) {
    if (cell < 0 || cell >= this.plan.cells.length) return;
    this.anchor = extend ? (this.anchor ?? this.at) : cell;
    this.at = cell;
    const [low, high] = [Math.min(this.anchor, cell), Math.max(this.anchor, cell)];
    this.chosen = new Set(Array.from({ length: high - low + 1 }, (_, i) => low + i));
    const top = this.plan.cells[cell].top;
    const bottom = top + this.side + WORDS + 2 * GAP;
    if (top < this.element.scrollTop) this.element.scrollTop = Math.max(0, top - (cell < this.columns ? HEAD : 0));
    else if (bottom > this.element.scrollTop + this.element.clientHeight) {
      this.element.scrollTop = bottom - this.element.clientHeight;
    }
    this.render();
  }

  move(key, extend) {
    const page = Math.max(1, Math.floor(this.element.clientHeight / (this.side + WORDS + GAP)));
    this.goTo(moved(this.plan, this.at, key, page), extend);
  }

  chooseAll() {
    this.chosen = new Set(this.plan.cells.keys());
    this.#mark();
  }

  #tileUnder(event) {
    const element = event.target.closest(".lorasmith-tile");
    return element ? [...this.tiles.values()].find((tile) => tile.element === element) : null;
  }

  #pressed(event) {
    const tile = event.button === 0 ? this.#tileUnder(event) : null;
    if (!tile) return;
    if (event.ctrlKey || event.metaKey) {
      this.at = this.anchor = tile.cell;
      if (!this.chosen.delete(tile.cell) || !this.chosen.size) this.chosen.add(tile.cell);
      this.#mark();
    } else {
      this.goTo(tile.cell, event.shiftKey);
    }
    this.options.onPick();
  }
}
