// A small line chart in SVG: curves, a band, marks, and a cursor for mouse and keyboard.
// Curves live in a square of 100 by 100 that the browser stretches, so a wider node costs no drawing.
import { decimated } from "./train_store.mjs";
import { words } from "./train_words.mjs";

const template = document.createElement("template");
template.innerHTML = "<svg></svg>";
const SVG = template.content.firstChild.namespaceURI;
const MOST_POINTS = 400; // of a curve as drawn

function svg(parent, tag, className) {
  const element = document.createElementNS(SVG, tag);
  element.setAttribute("class", className);
  parent.append(element);
  return element;
}

function part(parent, tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

// options: {title, keys: [{name, label}], read(step) -> text or "", format(y)}
export function createChart(options) {
  const element = document.createElement("figure");
  element.className = "lorasmith-chart";
  const head = part(element, "figcaption", "lorasmith-chart-head");
  part(head, "span", "lorasmith-chart-title", options.title);
  for (const { name, label } of options.keys) {
    const key = part(head, "span", `lorasmith-chart-key ${name}`);
    part(key, "i", "");
    key.append(label);
  }
  const readout = part(head, "output", "lorasmith-chart-read");
  const stage = part(element, "div", "lorasmith-chart-stage");
  stage.tabIndex = 0;
  stage.setAttribute("role", "img");
  const plot = svg(stage, "svg", "lorasmith-chart-plot");
  plot.setAttribute("viewBox", "0 0 100 100");
  plot.setAttribute("preserveAspectRatio", "none");
  plot.setAttribute("aria-hidden", "true");
  for (const y of [25, 50, 75]) svg(plot, "path", "grid").setAttribute("d", `M0 ${y}H100`);
  const layers = svg(plot, "g", "");
  const cursor = part(stage, "div", "lorasmith-chart-cursor");
  cursor.hidden = true;
  const marks = part(stage, "div", "lorasmith-chart-marks");
  const high = part(stage, "span", "lorasmith-chart-high");
  const low = part(stage, "span", "lorasmith-chart-low");
  const last = part(stage, "span", "lorasmith-chart-last");
  let shown = null;
  let chosen = null; // index into the steps under the cursor

  const x = (step) => (100 * step) / shown.last;
  const y = (value) => 100 - (100 * (value - shown.low)) / (shown.high - shown.low || 1);
  const place = ([step, value]) => `${x(step).toFixed(2)} ${y(value).toFixed(2)}`;

  function drawCurves() {
    layers.replaceChildren();
    for (const { name, points } of shown.bands ?? []) {
      if (points.length < 2) continue;
      const upper = points.map(([step, , top]) => place([step, top]));
      const lower = points.map(([step, bottom]) => place([step, bottom])).reverse();
      svg(layers, "path", `band ${name}`).setAttribute("d", `M${[...upper, ...lower].join("L")}Z`);
    }
    for (const { name, points } of shown.curves) {
      if (!points.length) continue;
      const path = decimated(points, MOST_POINTS).map(place).join("L");
      svg(layers, "path", `curve ${name}`).setAttribute("d", points.length > 1 ? `M${path}` : `M${path}h0.01`);
    }
  }

  function drawMarks() {
    marks.replaceChildren();
    for (const { step, kind, text, title } of shown.marks) {
      const mark = part(marks, "span", `lorasmith-chart-mark ${kind}`, text);
      mark.style.left = `${Math.min(x(step), 100)}%`;
      mark.classList.toggle("late", x(step) > 90); // its sign then stands to the left
      mark.title = title;
    }
  }

  function point(index) {
    chosen = index;
    const step = index === null ? null : shown.steps[index];
    cursor.hidden = step === null || step === undefined;
    readout.textContent = cursor.hidden ? shown?.now ?? "" : options.read(step);
    if (!cursor.hidden) cursor.style.left = `${x(step)}%`;
  }

  function nearest(event) {
    const box = stage.getBoundingClientRect();
    const step = ((event.clientX - box.left) / box.width) * shown.last;
    let found = 0;
    shown.steps.forEach((known, index) => {
      if (Math.abs(known - step) < Math.abs(shown.steps[found] - step)) found = index;
    });
    return found;
  }

  stage.addEventListener("pointermove", (event) => shown?.steps.length && point(nearest(event)));
  stage.addEventListener("pointerleave", () => shown && point(null));
  stage.addEventListener("blur", () => shown && point(null));
  stage.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -1e9, End: 1e9 }[event.key];
    if (by === undefined || !shown?.steps.length) return;
    const most = shown.steps.length - 1;
    point(Math.max(0, Math.min(most, (chosen ?? most) + by)));
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    element,
    // next: {last, low, high, steps, curves: [{name, points}], bands, marks, now, label}
    draw(next) {
      shown = next;
      drawCurves();
      drawMarks();
      high.textContent = options.format(next.high);
      low.textContent = options.format(next.low);
      last.textContent = words("step", { step: next.last });
      stage.setAttribute("aria-label", next.label);
      point(chosen === null ? null : Math.min(chosen, next.steps.length - 1));
    },
  };
}
