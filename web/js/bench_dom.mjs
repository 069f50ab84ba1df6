// Small pieces that the views of the test bench share.
import { words } from "./bench_words.mjs";

export function make(tag, className, parent, text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className.replace(/(^|\s)-/g, "$1lorasmith-bench-");
  if (text) element.textContent = text;
  parent?.append(element);
  return element;
}

export function button(className, parent, text, onClick) {
  const element = make("button", className, parent, text);
  element.type = "button";
  element.addEventListener("click", onClick);
  return element;
}

export function icon(name, parent) {
  const element = make("i", `pi pi-${name}`, parent);
  element.setAttribute("aria-hidden", "true");
  return element;
}

// A measured share as a short bar with its number: readable without the colour.
export function meter(parent, title, share) {
  const element = make("span", "-meter", parent);
  make("span", "-meter-name", element, title);
  const track = make("span", "-meter-track", element);
  const bar = make("span", "-meter-bar", track);
  const text = share === null || share === undefined ? "–" : words("percent", { n: Math.round(share * 100) });
  bar.style.width = `${Math.round(100 * Math.min(1, Math.max(0, share ?? 0)))}%`;
  make("span", "-meter-number", element, text);
  element.title = share === null || share === undefined ? words("not_measured", { title }) : words("measured", { title, text });
  return element;
}

// Arrow keys walk over the buttons of a grid; columns is asked anew each time.
export function arrows(element, selector, columns) {
  element.addEventListener("keydown", (event) => {
    const all = [...element.querySelectorAll(selector)];
    const at = all.indexOf(document.activeElement);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns() }[event.key];
    const to = { Home: 0, End: all.length - 1 }[event.key] ?? (step && at + step);
    if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    all[Math.max(0, Math.min(all.length - 1, to))]?.focus();
  });
}

// The wheel scrolls what can be scrolled; Ctrl and wheel zoom the graph. Keys of ours stay ours.
export function keepEvents(element) {
  element.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    const scroller = event.target.closest(".lorasmith-bench-scroll");
    if (scroller && scroller.scrollHeight > scroller.clientHeight) event.stopPropagation();
  });
  element.addEventListener("keydown", (event) => {
    if (["Delete", "Backspace", " ", "Enter"].includes(event.key)) event.stopPropagation();
  });
}
