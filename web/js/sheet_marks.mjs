// Marks that can be told apart by shape as well as by colour, and the boxes on a picture.

const PATHS = {
  keep: ["M10 1a9 9 0 1 1 0 18a9 9 0 0 1 0-18z", "M5.6 10.3l3 3l5.8-6.4"],
  reject: ["M6.2 1.2h7.6l5 5v7.6l-5 5H6.2l-5-5V6.2z", "M6.7 6.7l6.6 6.6M13.3 6.7l-6.6 6.6"],
  warn: ["M10 1.2l9.2 16.8H.8z", "M10 7v5.2M10 15.2v.2"],
  broken: ["M10 .8l9.2 9.2L10 19.2L.8 10z", "M7.9 8.1a2.1 2.1 0 1 1 3.2 1.8c-.8.5-1.1.9-1.1 1.7M10 14.2v.1"],
};

export function createMark(document) {
  const template = document.createElement("template");
  template.innerHTML =
    '<svg viewBox="0 0 20 20" aria-hidden="true">' +
    '<path class="lorasmith-mark-shape"/><path class="lorasmith-mark-sign"/></svg>';
  const svg = template.content.firstChild;
  setMark(svg, "keep");
  return svg;
}

export function setMark(svg, tone) {
  svg.setAttribute("class", `lorasmith-mark lorasmith-mark-${tone}`);
  const [shape, sign] = PATHS[tone];
  svg.firstChild.setAttribute("d", shape);
  svg.lastChild.setAttribute("d", sign);
}

export function part(parent, tag, className, text) {
  const element = parent.ownerDocument.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

// Left, top, right, bottom as shares of the picture, as a place in it.
export function place(element, [left, top, right, bottom]) {
  const percent = (share) => `${(share * 100).toFixed(3)}%`;
  Object.assign(element.style, {
    left: percent(left), top: percent(top), width: percent(right - left), height: percent(bottom - top),
  });
}

export const sharesOf = ([left, top, right, bottom], { width, height }) => [
  left / width, top / height, right / width, bottom / height,
];

// Fills `layer` with the boxes of a photo: faces and others as measured, then the crop.
export function drawBoxes(layer, photo, crop, own) {
  layer.replaceChildren();
  for (const box of photo.boxes ?? []) {
    const element = part(layer, "span", `lorasmith-box lorasmith-box-${box.kind ?? "face"}`);
    place(element, box.box ?? box);
  }
  if (crop) {
    const element = part(layer, "span", `lorasmith-box lorasmith-box-crop${own ? " lorasmith-box-own" : ""}`);
    place(element, sharesOf(crop, photo));
  }
}
