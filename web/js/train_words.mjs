// Numbers of a training, as a person reads them.

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
  return value >= 1 ? `${value.toFixed(1)} steps/s` : `${(1 / value).toFixed(1)} s/step`;
}

export function memoryText(bytes) {
  if (!Number.isFinite(bytes)) return NONE;
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

export function timeText(seconds) {
  if (!Number.isFinite(seconds)) return NONE;
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const shareText = (value) => (Number.isFinite(value) ? value.toFixed(2) : NONE);

// Why a button cannot be pressed; empty when it can.
export function whyNot(training) {
  if (!training) return "Nothing trains now: press Run.";
  const { state, step } = training.head;
  if (state === "preparing") return "The training has not begun yet.";
  if (state !== "training") return "This training has ended.";
  return step > 0 ? "" : "The first step is not done yet.";
}
