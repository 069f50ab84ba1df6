// One tile of the contact sheet: a picture with its mark, and two lines of words. Filled by the grid.
import { createMark, part, setMark } from "./sheet_marks.mjs";
import { words } from "./sheet_words.mjs";

export function createTile(document) {
  const element = document.createElement("div");
  element.className = "lorasmith-tile";
  element.setAttribute("role", "option");
  const picture = part(element, "div", "lorasmith-tile-picture");
  const frame = part(picture, "div", "lorasmith-tile-frame");
  const image = part(frame, "img", "lorasmith-tile-image");
  image.alt = "";
  image.decoding = "async";
  image.draggable = false;
  const boxes = part(frame, "div", "lorasmith-boxes");
  const missing = part(picture, "div", "lorasmith-tile-missing");
  const mark = createMark(document);
  picture.append(mark);
  const yours = part(picture, "span", "lorasmith-tile-yours", words("you"));
  const tag = part(picture, "span", "lorasmith-tile-tag");
  const number = part(picture, "span", "lorasmith-tile-number");
  const name = part(element, "div", "lorasmith-tile-name");
  const lines = part(element, "div", "lorasmith-tile-words");
  image.addEventListener("load", () => (element.dataset.loaded = ""));
  image.addEventListener("error", () => {
    missing.textContent = words("no_picture");
    element.dataset.missing = "";
    setMark(mark, "broken"); // judged once, but not there to be used
  });
  return { element, frame, image, boxes, missing, mark, yours, tag, number, name, words: lines, cell: -1, token: undefined };
}
