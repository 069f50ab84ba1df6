// A small card: a coloured verdict line, then one finding a line. No framework, no global state.
import { loadWords } from "./words.mjs";

const words = await loadWords("report");

export const PREFIX = "Lorasmith_";

const TONES = { good: "✓", warn: "!", bad: "✕", info: "i" };
const LINE_HEIGHT = 17; // as in lorasmith.css
const LETTER_WIDTH = 6.3; // mean of the 12 px font
const SIDES = 60; // margins and padding left and right of the words
const MARGINS = 20; // ComfyUI's own, above and below a widget
const HEAD_HEIGHT = 42; // padding and the verdict line
const MAX_HEIGHT = 280; // longer texts scroll
const PICTURE_ASPECT = 0.58; // of the live chart, with the gap above it

function part(document, tag, className, parent) {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
}

// Returns {element, showReport, showStatus, showStopped, wantedHeight(nodeWidth)}.
export function createReportView(document) {
  const element = document.createElement("section");
  element.className = "lorasmith-report";
  element.setAttribute("role", "status");
  element.setAttribute("aria-live", "polite");
  const head = part(document, "header", "lorasmith-report-head", element);
  const mark = part(document, "span", "lorasmith-report-mark", head);
  mark.setAttribute("aria-hidden", "true");
  const title = part(document, "strong", "lorasmith-report-title", head);
  const text = part(document, "div", "lorasmith-report-text", element);
  const picture = part(document, "img", "lorasmith-report-picture", element);
  picture.alt = "";
  picture.hidden = true;
  // The wheel scrolls long text; it must not zoom the canvas meanwhile.
  text.addEventListener("wheel", (event) => {
    if (text.scrollHeight > text.clientHeight) event.stopPropagation();
  });

  let body = "";
  let working = false;

  function fill(tone, heading, lines) {
    element.dataset.tone = tone in TONES ? tone : "info";
    mark.textContent = TONES[element.dataset.tone];
    title.textContent = heading;
    text.textContent = body = lines;
    text.hidden = !lines;
  }

  return {
    element,
    showReport({ title: heading, text: lines, tone }) {
      working = false;
      picture.hidden = true;
      fill(tone, heading, lines ?? "");
    },
    // Either of the two may be missing: what is shown of it stays.
    showStatus({ text: lines, picture: address }) {
      if (!working) picture.hidden = true;
      fill("info", words("working"), lines ?? (working ? body : ""));
      working = true;
      if (address) {
        picture.src = address;
        picture.hidden = false;
      }
    },
    // The run ended without a result for this node.
    showStopped() {
      if (!working) return;
      working = false;
      picture.hidden = true;
      fill("warn", words("stopped"), body);
    },
    wantedHeight(nodeWidth) {
      const lines = body ? countLines(body, (nodeWidth - SIDES) / LETTER_WIDTH) : 0;
      const chart = picture.hidden ? 0 : (nodeWidth - SIDES) * PICTURE_ASPECT;
      const height = Math.min(HEAD_HEIGHT + lines * LINE_HEIGHT, MAX_HEIGHT) + chart;
      element.style.minHeight = `${height}px`; // all that Nodes 2.0 looks at
      return height + MARGINS;
    },
  };
}

// Lines on screen, roughly: long lines wrap.
export function countLines(text, perLine) {
  const wrapped = (line) => Math.max(1, Math.ceil(line.length / Math.max(perLine, 8)));
  return text.split("\n").reduce((sum, line) => sum + wrapped(line), 0);
}
