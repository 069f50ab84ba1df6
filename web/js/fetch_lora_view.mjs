// What the Fetch LoRA node looks like. No network, no global state; everything from a hub is set as text.
import { words } from "./fetch_lora_words.mjs";

const SCAN_TONES = { clean: "good", danger: "bad", pending: "warn", unknown: "warn" };
const LICENCE_LETTERS = 90;

function make(document, tag, className, parent, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent?.append(element);
  return element;
}

function size(bytes) {
  if (bytes >= 1e9) return words("gb", { n: (bytes / 1e9).toFixed(2) });
  if (bytes >= 1e6) return words("mb", { n: (bytes / 1e6).toFixed(1) });
  return words("kb", { n: Math.ceil(bytes / 1e3) });
}

function timeLeft(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds >= 90) return words("min_left", { n: Math.round(seconds / 60) });
  return words("s_left", { n: Math.max(1, Math.round(seconds)) });
}

// handlers: {look(link), download({folder, name}), stop(), resized()}
export function createFetchView(document, handlers) {
  const element = make(document, "section", "lorasmith-fetch");
  const body = make(document, "div", "lorasmith-fetch-body", element);

  const form = make(document, "form", "lorasmith-fetch-line", body);
  const link = make(document, "input", "lorasmith-fetch-field", form);
  Object.assign(link, { type: "text", spellcheck: false, autocomplete: "off" });
  link.placeholder = words("placeholder");
  link.setAttribute("aria-label", words("link"));
  const lookUp = make(document, "button", "lorasmith-fetch-button", form, words("look_up"));
  lookUp.type = "submit";

  const message = make(document, "p", "lorasmith-fetch-message", body);
  message.setAttribute("role", "status");
  const choices = make(document, "div", "lorasmith-fetch-choices", body);
  const card = make(document, "article", "lorasmith-fetch-card", body);
  const save = make(document, "form", "lorasmith-fetch-save", body);
  const progress = make(document, "div", "lorasmith-fetch-progress", body);
  const bar = make(document, "progress", "lorasmith-fetch-bar", progress);
  const state = make(document, "span", "lorasmith-fetch-words", progress);
  const cancel = make(document, "button", "lorasmith-fetch-button quiet", progress, words("stop"));
  cancel.type = "button";

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (link.value.trim()) handlers.look(link.value);
  });
  cancel.addEventListener("click", () => {
    cancel.disabled = true;
    handlers.stop();
  });
  new ResizeObserver(() => handlers.resized()).observe(body);

  function say(tone, text) {
    message.dataset.tone = tone;
    message.textContent = text;
    message.hidden = !text;
  }

  function show({ withCard = false, withSave = false, withChoices = false, withProgress = false }) {
    card.hidden = !withCard;
    save.hidden = !withSave;
    choices.hidden = !withChoices;
    progress.hidden = !withProgress;
    lookUp.disabled = link.disabled = withProgress;
    lookUp.textContent = words("look_up");
  }

  function badge(parent, text, tone = "") {
    if (text) make(document, "span", `lorasmith-fetch-badge ${tone}`, parent, text);
  }

  function chip(parent, word) {
    const button = make(document, "button", "lorasmith-fetch-chip", parent, word);
    button.type = "button";
    button.title = words("copy");
    button.addEventListener("click", async () => {
      await navigator.clipboard?.writeText(word);
      button.dataset.copied = "yes";
      setTimeout(() => delete button.dataset.copied, 1200);
    });
  }

  // Another version or file of the same page: choosing one looks it up.
  function picker(parent, label, offered, current) {
    if (offered.length < 2) return;
    const select = make(document, "select", "lorasmith-fetch-field", parent);
    select.setAttribute("aria-label", label);
    for (const offer of offered) {
      const option = make(document, "option", "", select, offer.label || offer.link);
      option.value = offer.link;
      option.selected = offer.link === current;
    }
    select.addEventListener("change", () => handlers.look(select.value));
  }

  function fillCard({ record, picture, size: sizeText }) {
    card.replaceChildren();
    if (picture) {
      const image = make(document, "img", "lorasmith-fetch-picture", card);
      image.alt = "";
      image.src = picture;
    }
    const text = make(document, "div", "lorasmith-fetch-facts", card);
    const title = make(document, "a", "lorasmith-fetch-title", text, record.name);
    Object.assign(title, { href: record.page, target: "_blank", rel: "noopener noreferrer" });
    title.title = words("open_page");
    const by = [record.version, record.author && words("by", record)].filter(Boolean).join(" · ");
    make(document, "div", "lorasmith-fetch-by", text, by);
    const badges = make(document, "div", "lorasmith-fetch-badges", text);
    badge(badges, record.base || words("no_base"), record.base ? "base" : "warn");
    badge(badges, sizeText);
    const scan = record.scan in SCAN_TONES ? record.scan : "unknown";
    badge(badges, words(`scan_${scan}`), SCAN_TONES[scan]);
    badges.lastChild.title = record.scan_text;
    const licence = record.licence || words("no_licence");
    const short = licence.length > LICENCE_LETTERS ? `${licence.slice(0, LICENCE_LETTERS)} …` : licence;
    make(document, "div", "lorasmith-fetch-licence", text, words("licence", { name: short })).title = licence;
    if (record.triggers.length) {
      const row = make(document, "div", "lorasmith-fetch-badges", text);
      for (const word of record.triggers.slice(0, 12)) chip(row, word);
    }
    for (const note of record.notes) make(document, "div", "lorasmith-fetch-note", text, words("note", { note }));
    const pickers = make(document, "div", "lorasmith-fetch-pickers", card);
    const version = record.link.replace(/&fileId=\d+$/, "");
    picker(pickers, words("version"), record.versions, version);
    picker(pickers, words("file"), record.files, record.link);
    pickers.hidden = !pickers.childElementCount;
  }

  function fillSave({ folders, save_as: saveAs, record }) {
    save.replaceChildren();
    const folder = make(document, "select", "lorasmith-fetch-field short", save);
    folder.setAttribute("aria-label", words("folder"));
    folders.forEach((label, index) => (make(document, "option", "", folder, label).value = String(index)));
    const name = make(document, "input", "lorasmith-fetch-field", save);
    Object.assign(name, { type: "text", value: saveAs, spellcheck: false });
    name.setAttribute("aria-label", words("save_as"));
    const go = make(document, "button", "lorasmith-fetch-button main", save, words("download"));
    go.type = "submit";
    go.disabled = record.scan === "danger";
    save.onsubmit = (event) => {
      event.preventDefault();
      handlers.download({ folder: Number(folder.value), name: name.value });
    };
  }

  say("", "");
  show({});

  return {
    element,
    showLooking() {
      show({});
      say("", words("asking"));
      lookUp.disabled = true;
      lookUp.textContent = "…";
    },
    showFound(answer) {
      const { record, here } = answer;
      link.value = record.link;
      fillCard(answer);
      if (!here) fillSave(answer);
      show({ withCard: true, withSave: !here });
      if (here) say("good", words("already", { here }));
      else if (record.scan === "danger") say("bad", words("not_to_be", { why: record.scan_text }));
      else say("", "");
    },
    showChoices({ choices: offered, text }) {
      choices.replaceChildren();
      for (const offer of offered) {
        const button = make(document, "button", "lorasmith-fetch-choice", choices, offer.label);
        button.type = "button";
        button.addEventListener("click", () => handlers.look(offer.link));
      }
      show({ withChoices: true });
      say("", words("choose_one", { text: text.split(/[;；]/)[0] }));
    },
    showProgress({ done, total, seconds_left: left, text }) {
      show({ withCard: Boolean(card.childElementCount), withProgress: true });
      cancel.disabled = false;
      bar.max = total || 1;
      bar.value = done;
      state.textContent = words("done_of", { done: size(done), total: size(total), left: timeLeft(left) });
      say("", text);
    },
    showDone({ name, text, sha256 }) {
      show({ withCard: Boolean(card.childElementCount) });
      say("good", `${name} ${text} SHA-256 ${sha256.slice(0, 12)}…`);
    },
    showError(text) {
      show({ withCard: !card.hidden, withSave: !save.hidden });
      say("bad", text);
    },
    // A download that was stopped or failed; it can be started again from what was looked up.
    showEnded({ state, text }, found) {
      show({ withCard: Boolean(found), withSave: Boolean(found) });
      say(state === "stopped" ? "warn" : "bad", found ? text : words("go_on", { text }));
    },
    // What a workflow holds. here: true, false, or undefined while nobody has looked.
    showSaved({ link: saved, name, sha256 }, here) {
      link.value = saved;
      card.replaceChildren();
      show({});
      if (!sha256) say("", saved ? words("not_yet") : "");
      else if (here === undefined) say("", name);
      else if (here) say("good", words("is_here", { name, start: sha256.slice(0, 12) }));
      else say("warn", words("is_away", { name }));
    },
    wantedHeight() {
      const height = Math.ceil(body.offsetHeight) || 44;
      element.style.minHeight = `${height}px`; // all that Nodes 2.0 looks at
      return height;
    },
  };
}
