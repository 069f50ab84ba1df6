// A small card: a coloured verdict line, then one finding a line. No framework, no global state.

export const PREFIX = "Lorasmith_";

const TONES = { good: "✓", warn: "!", bad: "✕", info: "i" };
const LINE_HEIGHT = 17;
const CHROME_HEIGHT = 46;

function part(document, tag, className, parent) {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
}

// Returns {element, showReport, showStatus, wantedHeight}.
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
  // The wheel scrolls long text; it must not zoom the canvas meanwhile.
  text.addEventListener("wheel", (event) => {
    if (text.scrollHeight > text.clientHeight) event.stopPropagation();
  });

  let lines = 0;

  function fill(tone, heading, body) {
    element.dataset.tone = tone in TONES ? tone : "info";
    mark.textContent = TONES[element.dataset.tone];
    title.textContent = heading;
    text.textContent = body;
    text.hidden = !body;
    lines = body ? countLines(body) : 0;
  }

  return {
    element,
    showReport: ({ title: heading, text: body, tone }) => fill(tone, heading, body ?? ""),
    showStatus: (words) => fill("info", "Working", words),
    wantedHeight: () => Math.min(CHROME_HEIGHT + lines * LINE_HEIGHT, 260),
  };
}

// Lines on screen, roughly: long lines wrap.
export function countLines(text, perLine = 58) {
  return text.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / perLine)), 0);
}
