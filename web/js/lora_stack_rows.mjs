// The rows of a LoRA Stack as data: reading, writing, changing. No page, no network.
import { words } from "./lora_stack_words.mjs";

export const ZONES = [
  // The guide's scale: up to, name
  [0.5, "faint"],
  [0.7, "light"],
  [1.0, "normal"],
  [Infinity, "strong"],
];
export const STEP = 0.05;
export const LIMIT = 20;
export const OLD_ID = "old"; // the row of a workflow from before there were rows
const OLD_INPUTS = ["lora_name", "model_strength", "clip_strength"];

export function zoneOf(strength) {
  const size = Math.abs(strength);
  if (size === 0) return ["off", words("zone_off")];
  const [, name] = ZONES.find(([end, zone]) => (zone === "normal" ? size <= end : size < end));
  const text = words(`zone_${name}`);
  return [name, strength < 0 ? words("taken_away", { zone: text }) : text];
}

export function round(value, step = 0.01) {
  const limited = Math.min(LIMIT, Math.max(-LIMIT, value));
  return Number((Math.round(limited / step) * step).toFixed(4));
}

export function newId() {
  return Math.random().toString(36).slice(2, 10);
}

export function newRow(lora = "", changes = {}) {
  return { id: newId(), on: true, lora, model: 1, text: null, blocks: "all", words: [], locked: false, ...changes };
}

function number(value, otherwise) {
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}

function readRow(said, taken) {
  const row = newRow(String(said?.lora ?? ""));
  if (said?.id && !taken.has(String(said.id))) row.id = String(said.id);
  taken.add(row.id);
  const blocks = said?.blocks;
  return {
    ...row,
    on: said?.on !== false,
    model: number(said?.model, 1),
    text: said?.text == null ? null : number(said.text, null),
    blocks: blocks && (typeof blocks === "object" || ["style", "content"].includes(blocks)) ? blocks : "all",
    words: Array.isArray(said?.words) ? said.words.map(String) : [],
    locked: said?.locked === true,
  };
}

// A widget's value: our JSON, or the LoRA's name alone, as workflows held it before there were rows.
export function parse(text) {
  let said = null;
  try {
    said = JSON.parse(text || "{}");
  } catch {
    const old = text && text !== "None" ? [newRow(text, { id: OLD_ID })] : [];
    return { rows: old, missing: "refuse" };
  }
  const listed = Array.isArray(said) ? said : Array.isArray(said?.rows) ? said.rows : [];
  const taken = new Set();
  return { rows: listed.map((row) => readRow(row, taken)), missing: said?.missing === "skip" ? "skip" : "refuse" };
}

export function write({ rows, missing }) {
  return JSON.stringify({ version: 1, missing, rows });
}

// What the server runs: without what only the editor cares about, so that a lock or a row that is off
// changes nothing and nothing is computed again.
export function writeForRun({ rows, missing }) {
  const used = rows.filter((row) => row.on && (row.lora || row.id === OLD_ID));
  const plain = used.map(({ id, lora, model, text, blocks, words }) => ({ id, lora, model, text, blocks, words }));
  return JSON.stringify({ version: 1, missing, rows: plain });
}

// An old workflow's three values: [name, model strength, text strength]. linked: inputs that have a link.
export function fromOldValues(values, linked) {
  if (!Array.isArray(values) || values.length !== 3 || typeof values[0] !== "string") return null;
  const [name, model, text] = values;
  if (typeof model !== "number" || typeof text !== "number" || name.startsWith("{")) return null;
  const lora = name === "None" || linked.has("lora_name") ? "" : name;
  if (!lora && !linked.size) return { rows: [], missing: "refuse" };
  return { rows: [newRow(lora, { id: OLD_ID, model, text: text === model ? null : text })], missing: "refuse" };
}

export function isOldInput(name) {
  return OLD_INPUTS.includes(name);
}

export function move(rows, id, to) {
  const from = rows.findIndex((row) => row.id === id);
  const target = Math.max(0, Math.min(rows.length - 1, to));
  if (from < 0 || from === target) return rows;
  const rest = rows.filter((row) => row.id !== id);
  return [...rest.slice(0, target), rows[from], ...rest.slice(target)];
}

export function duplicate(rows, id) {
  const at = rows.findIndex((row) => row.id === id);
  const copy = { ...structuredClone(rows[at]), id: newId() };
  return [...rows.slice(0, at + 1), copy, ...rows.slice(at + 1)];
}

export function change(rows, id, changes) {
  return rows.map((row) => (row.id === id ? { ...row, ...changes } : row));
}

export function stem(name) {
  return name.split(/[\\/]/).pop().replace(/\.[^.]+$/, "");
}

export function folder(name) {
  return name.split(/[\\/]/).slice(0, -1).join("/");
}

export function blocksWords(blocks) {
  if (blocks === "all") return "";
  if (typeof blocks === "string") return words(`only_${blocks}`);
  const set = Object.entries(blocks).filter(([, factor]) => factor !== 1);
  return set.length ? words("blocks_set", { count: set.length }) : "";
}

// Every word of the search must be in the name; where it starts the file's name counts more.
export function search(names, text) {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return names;
  const found = names.filter((name) => wanted.every((word) => name.toLowerCase().includes(word)));
  const rank = (name) => {
    const short = stem(name).toLowerCase();
    return short.startsWith(wanted[0]) ? 0 : short.includes(wanted[0]) ? 1 : 2;
  };
  return found.map((name) => [rank(name), name]).sort((a, b) => a[0] - b[0]).map(([, name]) => name);
}
