// Small pieces that the parts of the LoRA Stack node share: elements, icons, and things that pop up.

const OURS = "lorasmith-stack";

export function make(tag, className, parent, text = "") {
  const element = document.createElement(tag);
  element.className = className.replace(/(^|\s)-/g, `$1${OURS}-`);
  if (text) element.textContent = text;
  parent?.append(element);
  return element;
}

export function icon(name, parent) {
  const element = document.createElement("i");
  element.className = `pi pi-${name}`;
  element.setAttribute("aria-hidden", "true");
  parent?.append(element);
  return element;
}

export function button(className, parent, { text = "", symbol = "", label = "", onClick }) {
  const element = make("button", className, parent);
  element.type = "button";
  if (symbol) icon(symbol, element);
  if (text) element.append(text);
  if (label) {
    element.title = label;
    element.setAttribute("aria-label", label);
  }
  element.addEventListener("click", onClick);
  return element;
}

// Keys and the wheel are ours while the pointer or the focus is in here: the canvas must not act on them too.
export function keepEvents(element) {
  for (const name of ["pointerdown", "mousedown", "dblclick", "contextmenu", "copy", "paste", "cut"]) {
    element.addEventListener(name, (event) => event.stopPropagation());
  }
  element.addEventListener("keydown", (event) => {
    const ours = !(event.ctrlKey || event.metaKey) || ["a", "c", "v", "x"].includes(event.key.toLowerCase());
    if (ours) event.stopPropagation();
  });
}

let opened = null;

export function closePopup() {
  opened?.close();
}

// A panel beside an element, in front of everything; Escape and a press beside it close it, as the browser does
// for its own. fill(panel, close) puts something into it.
export function popup(anchor, className, fill) {
  closePopup();
  const panel = make("div", `-popup ${className}`, anchor.closest(`.${OURS}-root`));
  panel.popover = "auto";
  keepEvents(panel);
  panel.addEventListener("wheel", (event) => event.stopPropagation(), { passive: true });
  const outside = (event) => {
    if (!panel.contains(event.target)) close();
  };
  function close() {
    if (opened?.panel !== panel) return;
    opened = null;
    const hadFocus = panel.contains(document.activeElement);
    panel.remove();
    if (hadFocus) anchor.focus?.();
    window.removeEventListener("wheel", outside, true);
    window.removeEventListener("resize", close);
  }
  panel.addEventListener("toggle", (event) => event.newState === "closed" && close());
  opened = { panel, close };
  fill(panel, close);
  panel.showPopover();
  place(panel, anchor);
  window.addEventListener("wheel", outside, true);
  window.addEventListener("resize", close);
  return close;
}

function place(panel, anchor) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = window.innerHeight - at.bottom;
  const top = below >= height + 8 || below >= at.top ? at.bottom + 4 : at.top - height - 4;
  const left = Math.min(at.left, window.innerWidth - width - 8);
  panel.style.left = `${Math.max(8, left)}px`;
  panel.style.top = `${Math.max(8, Math.min(top, window.innerHeight - height - 8))}px`;
}

// items: [{text, symbol, note, danger, disabled, checked, onClick} | "line"]
export function menu(anchor, items) {
  popup(anchor, "-menu", (panel, close) => {
    panel.setAttribute("role", "menu");
    for (const item of items) {
      if (item === "line") {
        make("hr", "-menu-line", panel);
        continue;
      }
      const entry = button(`-menu-item ${item.danger ? "danger" : ""}`, panel, {
        symbol: item.checked === undefined ? item.symbol : item.checked ? "check" : "minus",
        text: item.text,
        onClick: () => {
          close();
          item.onClick();
        },
      });
      if (item.checked === false) entry.firstChild.style.visibility = "hidden";
      entry.setAttribute("role", item.checked === undefined ? "menuitem" : "menuitemcheckbox");
      if (item.checked !== undefined) entry.setAttribute("aria-checked", String(item.checked));
      entry.disabled = Boolean(item.disabled);
      if (item.note) make("span", "-menu-note", entry, item.note);
    }
    arrows(panel, "button:not(:disabled)");
    queueMicrotask(() => panel.querySelector("button:not(:disabled)")?.focus());
  });
}

// Up, Down, Home and End move the focus between the elements that match.
export function arrows(panel, selector) {
  panel.addEventListener("keydown", (event) => {
    const all = [...panel.querySelectorAll(selector)];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[(to + all.length) % all.length]?.focus();
  });
}

// One line or several of text, and a button. submit(text) may throw: its words are shown.
export function askText(anchor, { title, value = "", action, multiline = false, readOnly = false, submit }) {
  popup(anchor, "-ask", (panel, close) => {
    make("div", "-ask-title", panel, title);
    const field = make(multiline ? "textarea" : "input", "-field", panel);
    Object.assign(field, { value, readOnly, spellcheck: false });
    field.setAttribute("aria-label", title);
    const problem = make("p", "-ask-problem", panel);
    problem.setAttribute("role", "alert");
    const work = async () => {
      try {
        await submit(field.value, panel);
        close();
      } catch (error) {
        problem.textContent = error.message;
      }
    };
    button("-button main", panel, { text: action, onClick: work });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !multiline) work();
    });
    queueMicrotask(() => field.select());
  });
}

export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = make("textarea", "", document.body); // a page that came over plain http from another computer
  field.value = text;
  field.select();
  document.execCommand("copy");
  field.remove();
}
