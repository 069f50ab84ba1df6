// The crop on the large picture: moved by its middle, sized by its edges and corners.
import { part, place, sharesOf } from "./sheet_marks.mjs";
import { words } from "./sheet_words.mjs";

const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const LEAST_PX = 64; // shorter sides make no training picture
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// Pure: the box after an edge or the whole was dragged by (x, y) photo pixels; whole pixels inside the photo.
export function dragged(box, grip, x, y, { width, height }) {
  let [left, top, right, bottom] = box;
  const least = [Math.min(LEAST_PX, width), Math.min(LEAST_PX, height)];
  if (grip === "move") {
    const dx = clamp(x, -left, width - right);
    const dy = clamp(y, -top, height - bottom);
    return [left + dx, top + dy, right + dx, bottom + dy].map(Math.round);
  }
  if (grip.includes("w")) left = clamp(left + x, 0, right - least[0]);
  if (grip.includes("e")) right = clamp(right + x, left + least[0], width);
  if (grip.includes("n")) top = clamp(top + y, 0, bottom - least[1]);
  if (grip.includes("s")) bottom = clamp(bottom + y, top + least[1], height);
  return [left, top, right, bottom].map(Math.round);
}

// A box that leaves a tenth of the photo on each side: where nothing was suggested.
export const startBox = ({ width, height }) =>
  [width * 0.1, height * 0.1, width * 0.9, height * 0.9].map(Math.round);

// onDone(box): the user let go of a changed crop.
export function createCropEditor(layer, { onDone }) {
  const shade = part(part(layer, "div", "lorasmith-shade"), "div", "");
  const element = part(layer, "div", "lorasmith-crop");
  for (const name of HANDLES) part(element, "span", `lorasmith-crop-handle lorasmith-crop-${name}`).dataset.grip = name;
  const label = part(element, "span", "lorasmith-crop-label");
  let photo = null;
  let box = null;
  let drag = null;

  function draw() {
    element.hidden = shade.hidden = !box;
    if (!box) return;
    place(element, sharesOf(box, photo));
    place(shade, sharesOf(box, photo));
    label.textContent = words("size_px", { width: box[2] - box[0], height: box[3] - box[1] });
  }

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    const frame = layer.getBoundingClientRect();
    drag = {
      grip: event.target.dataset.grip ?? "move",
      x: event.clientX,
      y: event.clientY,
      from: box,
      perPx: [photo.width / frame.width, photo.height / frame.height],
    };
    element.classList.add("lorasmith-crop-held");
  });
  element.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const x = (event.clientX - drag.x) * drag.perPx[0];
    const y = (event.clientY - drag.y) * drag.perPx[1];
    box = dragged(drag.from, drag.grip, x, y, photo);
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    element.addEventListener(name, () => {
      const held = drag;
      drag = null;
      element.classList.remove("lorasmith-crop-held");
      if (held && String(held.from) !== String(box)) onDone(box);
    });
  }

  return {
    // own: the user's own crop, not a suggestion.
    show(newPhoto, newBox, own) {
      [photo, box] = [newPhoto, newBox];
      element.classList.toggle("lorasmith-crop-own", own);
      shade.classList.toggle("lorasmith-shade-own", own);
      draw();
    },
    // Arrow keys with Alt: moves the crop; with Shift as well: moves its right and bottom edges.
    nudge(key, sizing) {
      if (!box) return;
      const step = Math.max(1, Math.round(Math.min(photo.width, photo.height) / 100));
      const x = { ArrowLeft: -step, ArrowRight: step }[key] ?? 0;
      const y = { ArrowUp: -step, ArrowDown: step }[key] ?? 0;
      box = dragged(box, sizing ? "se" : "move", x, y, photo);
      draw();
      onDone(box);
    },
    get box() {
      return box;
    },
  };
}
