// The words of the training panel, and its numbers as a person reads them.
import { loadWords } from "./words.mjs";

export const words = await loadWords("train");

export const NONE = "–";

export function lossText(value) {
  if (!Number.isFinite(value)) return NONE;
  return value >= 0.001 ? value.toFixed(4) : value.toExponential(1);
}

export function rateText(value) {
  return Number.isFinite(value) ? value.toExponential(1).replace(".0e", "e") : NONE;
}

export function speedText(value) {
  if (!Number.isFinite(value) || value <= 0) return NONE;
  return value >= 1 ? words("per_second", { n: value.toFixed(1) }) : words("per_step", { n: (1 / value).toFixed(1) });
}

export function memoryText(bytes) {
  if (!Number.isFinite(bytes)) return NONE;
  return bytes >= 1e9 ? words("gb", { n: (bytes / 1e9).toFixed(1) }) : words("mb", { n: Math.round(bytes / 1e6) });
}

export function timeText(seconds) {
  if (!Number.isFinite(seconds)) return NONE;
  if (seconds < 90) return words("s", { n: Math.max(1, Math.round(seconds)) });
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? words("min", { n: minutes }) : words("h_min", { h: Math.floor(minutes / 60), n: minutes % 60 });
}

export const shareText = (value) => (Number.isFinite(value) ? value.toFixed(2) : NONE);

// Why a button cannot be pressed; empty when it can.
export function whyNot(training) {
  if (!training) return words("why_nothing");
  const { state, step } = training.head;
  if (state === "preparing") return words("why_not_begun");
  if (state !== "training") return words("why_ended");
  return step > 0 ? "" : words("why_first");
}
