// Small pieces of the easy mode's pages.

export function part(parent, tag, className = "", text = "") {
  const element = parent.ownerDocument.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

export function button(parent, text, onClick, kind = "") {
  const element = part(parent, "button", `lorasmith-easy-button ${kind}`.trim(), text);
  element.type = "button";
  element.addEventListener("click", onClick);
  return element;
}

let fields = 0;

// A label, what is written into, and a hint that a screen reader reads with it.
export function field(parent, label, element, hint = "") {
  const row = part(parent, "div", "lorasmith-easy-field");
  const id = `lorasmith-easy-${++fields}`;
  const words = part(row, "label", "", label);
  words.htmlFor = element.id = id;
  row.append(element);
  if (hint) {
    const said = part(row, "small", "", hint);
    said.id = `${id}-hint`;
    element.setAttribute("aria-describedby", said.id);
  }
  return element;
}

export function choice(document, options, value) {
  const element = document.createElement("select");
  for (const [key, text] of options) {
    const option = part(element, "option", "", text);
    option.value = key;
  }
  if (value !== undefined) element.value = value;
  return element;
}

export function textBox(document, value, placeholder = "") {
  const element = document.createElement("input");
  element.type = "text";
  element.value = value;
  element.placeholder = placeholder;
  element.spellcheck = false;
  return element;
}

// A bar with words under it; hidden while there is nothing to wait for.
export function progress(parent) {
  const element = part(parent, "div", "lorasmith-easy-progress");
  const bar = part(element, "progress");
  const words = part(element, "span", "lorasmith-easy-words");
  words.setAttribute("role", "status");
  element.hidden = true;
  return {
    show(text, done, total) {
      element.hidden = false;
      words.textContent = text;
      bar.hidden = false;
      if (total) [bar.max, bar.value] = [total, done];
      else bar.removeAttribute("value");
      bar.setAttribute("aria-label", text);
    },
    say(text) {
      element.hidden = !text;
      bar.hidden = true;
      words.textContent = text;
    },
  };
}

// How much longer, from what is done since `started` (ms); null before that can be said.
export function secondsLeft(done, total, started, now) {
  const seconds = (now - started) / 1000;
  return done > 0 && seconds > 2 ? (seconds / done) * (total - done) : null;
}

export function inWords(seconds, words) {
  return seconds < 90 ? words("seconds", { n: Math.ceil(seconds) }) : words("minutes", { n: Math.ceil(seconds / 60) });
}
