// Which photos the contact sheet shows, and in which order. No DOM in here.

function shown(state, index, { show, reason }) {
  const photo = state.photos[index];
  const { kept, by, crop } = state.stateOf(index);
  if (show === "kept" && !kept) return false;
  if (show === "out" && kept) return false;
  if (show === "yours" && by !== "you" && !crop) return false;
  if (!reason) return true;
  return photo.unreadable ? reason === "unreadable" : photo.reasons.some(({ code }) => code === reason);
}

// Sections of the sheet: [{group: null | group, indices: [...]}]; empty ones are left out.
export function sections(state, view) {
  const indices = state.photos.map((_, index) => index).filter((index) => shown(state, index, view));
  if (view.sort !== "groups") return indices.length ? [{ group: null, indices: sorted(state, indices, view) }] : [];
  const here = new Set(indices);
  const grouped = new Set();
  const found = [];
  for (const group of state.groups) {
    const members = group.members.filter((index) => here.has(index));
    members.forEach((index) => grouped.add(index));
    // The suggested keeper first: what it is compared with stands beside it.
    members.sort((a, b) => (b === group.keeper) - (a === group.keeper) || a - b);
    if (members.length) found.push({ group, indices: members });
  }
  const alone = indices.filter((index) => !grouped.has(index));
  if (alone.length) found.push({ group: null, indices: alone });
  return found;
}

function sorted(state, indices, { sort, descending }) {
  const rank = ranking(state, sort);
  if (!rank) return descending ? indices.toReversed() : indices;
  const ranked = indices.map((index) => [rank(index), index]);
  // What was not measured comes last, whatever the direction: it is neither good nor bad.
  ranked.sort(([a, i], [b, j]) => {
    if (a === null || b === null) return (a === null) - (b === null) || i - j;
    return (descending ? b - a : a - b) || i - j;
  });
  return ranked.map(([, index]) => index);
}

function ranking(state, sort) {
  if (sort === "out") {
    return (index) => (state.photos[index].unreadable ? 0 : state.stateOf(index).kept ? 2 : 1);
  }
  if (!sort.startsWith("score:")) return null;
  const name = sort.slice("score:".length);
  return (index) => state.photos[index].scores[name] ?? null;
}

// Sections as rows of equal tiles: {rows: [{top, height, heads | first, count}], height, cells}.
// Small groups share a row; each has its head above its own tiles.
export function layout(parts, { columns, tileHeight, headHeight, gap }) {
  const plan = { rows: [], cells: [], height: 0 };
  const headed = parts.length > 1 || parts[0]?.group;
  let together = [];
  let used = 0;
  const flush = () => {
    if (together.length) addBand(plan, together, { headed, columns, tileHeight, headHeight, gap });
    [together, used] = [[], 0];
  };
  for (const part of parts) {
    const size = part.group ? part.indices.length : Infinity;
    if (used + size > columns) flush();
    together.push({ ...part, column: used });
    used += size;
  }
  flush();
  plan.height = Math.max(0, plan.height - gap);
  return plan;
}

// Parts that stand side by side; the only one of a band may go on over several rows.
function addBand(plan, parts, shape) {
  const { rows, cells } = plan;
  let top = plan.height;
  if (shape.headed) {
    const heads = parts.map((part) => ({ part, column: part.column, span: Math.min(part.indices.length, shape.columns) }));
    rows.push({ top, height: shape.headHeight, heads });
    top += shape.headHeight;
  }
  const longest = Math.max(...parts.map((part) => part.indices.length));
  const lines = parts.length > 1 ? 1 : Math.ceil(longest / shape.columns);
  for (let line = 0; line < lines; line++) {
    const row = { top, height: shape.tileHeight, first: cells.length, count: 0 };
    for (const part of parts) {
      const indices = part.indices.slice(line * shape.columns, (line + 1) * shape.columns);
      for (const [offset, index] of indices.entries()) {
        cells.push({ index, group: part.group, column: part.column + offset, top });
        row.count += 1;
      }
    }
    rows.push(row);
    top += shape.tileHeight + shape.gap;
  }
  plan.height = top;
}

// The cell to go to from cell `from` with a key, as in a text: rows may be shorter than others.
export function moved(plan, from, key, page) {
  const { cells, rows } = plan;
  const last = cells.length - 1;
  if (last < 0) return -1;
  const cell = cells[Math.min(Math.max(from, 0), last)];
  const steps = { ArrowLeft: -1, ArrowRight: 1 };
  if (key in steps) return Math.min(Math.max(from + steps[key], 0), last);
  if (key === "Home") return 0;
  if (key === "End") return last;
  const down = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page }[key];
  const tileRows = rows.filter((row) => row.count);
  const here = tileRows.findIndex((row) => row.top === cell.top);
  const target = tileRows[Math.min(Math.max(here + down, 0), tileRows.length - 1)];
  return target.first + Math.min(cell.column, target.count - 1);
}
