// Every word that the contact sheet says, and how its numbers read.

import { loadWords } from "./words.mjs";

export const words = await loadWords("sheet");

export const STATES = ["all", "kept", "out", "yours"];

export const SORTS = ["folder", "groups", "out"];

// A word of ours, or what a code reads like where it has none.
function named(key, other) {
  const text = words(key);
  return text === key ? other : text;
}

// "same_clothes" -> "Same clothes"
export function titled(code) {
  const text = code.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const groupTitle = (kind) => named(`group_${kind}`, titled(kind));

export const reasonTitle = (code) => named(`reason_${code}`, titled(code));

export const scoreTitle = (name) => named(`score_${name}`, titled(name.replace(/_(px|deg|m|share|stops)$/, "")));

const UNITS = ["px", "deg", "m", "stops"];

export function scoreText(name, value) {
  const unit = name.slice(name.lastIndexOf("_") + 1);
  if (unit === "share") return words("percent", { n: (value * 100).toFixed(value < 0.1 ? 1 : 0) });
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value.toFixed(digits);
  return UNITS.includes(unit) ? words(`unit_${unit}`, { n: text }) : text;
}

export const KEYS = [
  ["←↑↓→", words("key_move")],
  ["K", words("key_keep")],
  ["X", words("key_out")],
  ["U", words("key_judged")],
  [words("space"), words("key_closer")],
  ["Ctrl Z", words("key_undo")],
];

// What a tile says below its name: the user's word first, then the reasons.
export function stateText(photo, state) {
  const reasons = photo.reasons.map((reason) => reason.text);
  if (photo.unreadable) return photo.unreadable;
  if (state.by === "you") {
    const judged = photo.keep ? null : photo.reasons.find((r) => r.severity === "reject");
    const word = words(state.kept ? "kept_by_you" : "out_by_you");
    const why = judged ? ` ${words("judged", { reason: reasonTitle(judged.code).toLowerCase() })}` : "";
    return [word + why, ...reasons].join(". ");
  }
  return reasons.length ? reasons.join(" ") : words("nothing_against");
}

// What a screen reader says about a tile.
export function spoken(photo, state, group) {
  const own = state.by === "you" ? "_you" : "";
  const verdict = words(photo.unreadable ? "is_unreadable" : `is_${state.kept ? "kept" : "out"}${own}`);
  const together = group ? words("in_group", { group: groupTitle(group.kind) }) : "";
  const reasons = photo.reasons.map((reason) => reason.text).join(" ");
  return `${photo.name}, ${verdict}. ${reasons}${together}`;
}

// What an empty sheet says, for the filters that made it empty.
export function nothingFor({ show, reason }) {
  const filters = [show === "all" ? "" : words(`state_${show}`), reason ? reasonTitle(reason) : ""].filter(Boolean);
  if (show === "yours" && !reason) return words("none_decided");
  return words(filters.length > 1 ? "none_both" : "none_is", { a: filters[0] ?? "", b: filters[1] ?? "" });
}
