// Every word that the contact sheet says, and how its numbers read.

export const STATES = {
  all: "All",
  kept: "Kept",
  out: "Left out",
  yours: "Yours",
};

export const SORTS = { folder: "Folder order", groups: "Groups side by side", out: "Left out first" };

const GROUPS = {
  duplicate: "Same shot",
  same_background: "Same background",
  same_clothes_and_background: "Same clothes and background",
  same_pose: "Same pose",
  studio_series: "One studio series",
};

const SCORES = {
  side_px: "Shorter side",
  blur_px: "Blur",
  light: "Light",
  burnt_share: "Burnt out",
  shadow_light: "Darkest parts",
  noise: "Noise",
  contrast: "Contrast",
  tilt_deg: "Tilt",
  jpeg_blocks: "JPEG blocks",
  text_share: "Lettering",
  faces: "Faces",
  face_share: "Face height",
  face_px: "Face size",
  eyes_open: "Eyes open",
  yaw_deg: "Turned to the side",
  pitch_deg: "Camera height",
  roll_deg: "Head tilted",
  smile: "Smile",
  face_light: "Light on the face",
  shadow_stops: "Shadow on the face",
  face_clipped: "Burnt out on the face",
  face_blur_px: "Blur of the face",
  covered: "Face covered",
  distance_m: "Distance",
  nose_ratio: "Nose to face width",
  person_share: "Person in the frame",
  background_edges: "Background detail",
  background_colours: "Background colours",
};

// "same_clothes" -> "Same clothes"
export function titled(code) {
  const words = code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const groupTitle = (kind) => GROUPS[kind] ?? titled(kind);

export const scoreTitle = (name) => SCORES[name] ?? titled(name.replace(/_(px|deg|m|share|stops)$/, ""));

const UNITS = { px: " px", deg: "°", m: " m", stops: " stops" };

export function scoreText(name, value) {
  const unit = name.slice(name.lastIndexOf("_") + 1);
  if (unit === "share") return `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`;
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${UNITS[unit] ?? ""}`;
}

export const counted = (number, one, many) => `${number} ${number === 1 ? one : many}`;

export const KEYS = [
  ["←↑↓→", "move"],
  ["K", "keep"],
  ["X", "leave out"],
  ["U", "as judged"],
  ["Space", "look closer"],
  ["Ctrl Z", "undo"],
];

// What a tile says below its name: the user's word first, then the reasons.
export function stateText(photo, state) {
  const reasons = photo.reasons.map((reason) => reason.text);
  if (photo.unreadable) return photo.unreadable;
  if (state.by === "you") {
    const judged = photo.keep ? "judged fine" : photo.reasons.find((r) => r.severity === "reject");
    const word = state.kept ? "Kept by you" : "Left out by you";
    const why = judged?.code ? ` (judged: ${judged.code.replaceAll("_", " ")})` : "";
    return [word + why, ...reasons].join(". ");
  }
  return reasons.length ? reasons.join(" ") : "Nothing found against it";
}

// What a screen reader says about a tile.
export function spoken(photo, state, group) {
  const verdict = photo.unreadable ? "cannot be read" : state.kept ? "kept" : "left out";
  const by = state.by === "you" ? " by you" : "";
  const together = group ? `. Group: ${groupTitle(group.kind)}` : "";
  const reasons = photo.reasons.map((reason) => reason.text).join(" ");
  return `${photo.name}, ${verdict}${by}. ${reasons}${together}`;
}

// What an empty sheet says, for the filters that made it empty.
export function nothingFor({ show, reason }) {
  const filters = [show === "all" ? "" : STATES[show], reason ? titled(reason) : ""].filter(Boolean);
  if (show === "yours" && !reason) return "You have decided nothing yet: K keeps a photo, X leaves it out.";
  return `No photo is ${filters.map((name) => `“${name}”`).join(" and ")}.`;
}
