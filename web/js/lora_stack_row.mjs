// One row of the stack on the page. It shows what it is told and says what the user did.
import { button, icon, make } from "./lora_stack_dom.mjs";
import { blocksWords, folder, stem } from "./lora_stack_rows.mjs";
import { pictureAddress } from "./lora_stack_server.mjs";
import { createStrength } from "./lora_stack_strength.mjs";
import { words } from "./lora_stack_words.mjs";

// actions: change(id, changes, {done}), pick(id, anchor), menu(id, anchor), drag(id, event), nudge(id, by),
// useNear(id, name), take(id), copy(text, anchor)
export function createRow(id, actions) {
  const element = make("li", "-row");
  element.dataset.id = id;

  const handle = button("-handle", element, { symbol: "bars", label: words("drag") });
  handle.addEventListener("pointerdown", (event) => actions.drag(id, event));
  handle.addEventListener("keydown", (event) => {
    const by = event.altKey ? { ArrowUp: -1, ArrowDown: 1 }[event.key] : 0;
    if (!by) return;
    event.preventDefault();
    actions.nudge(id, by);
    handle.focus();
  });

  const toggle = make("button", "-switch", element);
  toggle.type = "button";
  toggle.setAttribute("role", "switch");
  toggle.addEventListener("click", () => actions.change(id, { on: toggle.getAttribute("aria-checked") !== "true" }));

  const face = button("-face", element, { onClick: () => actions.pick(id, face) });
  face.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") actions.pick(id, face);
  });
  const thumb = make("span", "-thumb", face);
  const names = make("span", "-names", face);
  const name = make("span", "-name", names);
  const under = make("span", "-under", names);

  const strengths = make("div", "-strengths", element);
  const model = createStrength({
    label: words("strength"),
    onChange: (value, how) => actions.change(id, { model: value }, how),
  });
  const text = createStrength({
    label: words("text_strength"),
    onChange: (value, how) => actions.change(id, { text: value }, how),
  });
  strengths.append(model.element, text.element);
  const hint = button("-suggested", strengths, { onClick: () => actions.take(id) });

  const more = button("-icon", element, { symbol: "ellipsis-v", label: words("more"), onClick: () => actions.menu(id, more) });
  more.setAttribute("aria-haspopup", "menu");

  const below = make("div", "-below", element);
  const chips = make("div", "-chips", below);
  const notes = make("div", "-notes", below);
  let picture = "";

  function showPicture(lora, facts) {
    const address = pictureAddress(lora, facts);
    if (address === picture && thumb.childElementCount) return;
    picture = address;
    thumb.replaceChildren();
    icon(facts?.missing ? "exclamation-triangle" : "image", thumb);
    if (!address) return;
    const image = make("img", "");
    image.alt = "";
    image.src = address;
    image.addEventListener("load", () => picture === address && thumb.replaceChildren(image));
  }

  function badge(className, text, label, symbol) {
    const element = make("span", `-badge ${className}`, under);
    if (symbol) icon(symbol, element);
    element.append(text);
    if (label) element.title = label;
  }

  function showUnder(row, facts, found) {
    under.replaceChildren();
    if (row.locked) badge("locked", "", words("locked"), "lock");
    if (facts?.base) badge("base", facts.base, words("made_for", facts));
    if (facts && facts.kind && facts.kind !== "LoRA") badge("", facts.kind, words("as_it_is"));
    if (found.fits !== undefined && found.fits < 0.995) {
      const bad = found.fits < 0.5;
      const share = { n: Math.round(found.fits * 100) };
      badge(bad ? "bad" : "warn", words(bad ? "other_base" : "fits_share", share), words("fits_hint", share));
    }
    const blocks = blocksWords(row.blocks);
    if (blocks) badge("blocks", blocks, words("blocks_hint"), "th-large");
    const place = folder(row.lora);
    if (place) make("span", "-place", under, place);
  }

  function showChips(row, facts) {
    chips.replaceChildren();
    const known = [...new Set([...(facts?.words ?? []), ...row.words])];
    chips.hidden = !known.length || !row.on;
    for (const word of known) {
      const chosen = row.words.includes(word);
      const chip = button("-chip", chips, {
        text: word,
        onClick: () =>
          actions.change(id, { words: chosen ? row.words.filter((w) => w !== word) : [...row.words, word] }),
      });
      chip.setAttribute("aria-pressed", String(chosen));
      chip.title = words(chosen ? "word_in" : "word_out");
      if (chosen) chip.prepend(icon("check"));
    }
    if (!known.length) return;
    const all = row.words.length ? row.words : known;
    const copy = button("-icon small", chips, {
      symbol: "copy",
      label: words("copy_words"),
      onClick: () => actions.copy(all.join(", "), copy),
    });
  }

  function note(tone, text, parent = notes) {
    const element = make("div", `-note ${tone}`, parent);
    icon({ bad: "times-circle", info: "info-circle" }[tone] ?? "exclamation-triangle", element);
    make("span", "", element, text);
    return element;
  }

  function showNotes(row, facts, found, missing) {
    notes.replaceChildren();
    if (facts?.missing && row.on) {
      const skipped = missing === "skip";
      const line = note(skipped ? "warn" : "bad", words(skipped ? "gone_skipped" : "gone"));
      for (const near of facts.near ?? []) {
        const use = () => actions.useNear(id, near);
        button("-link", line, { text: words("use", { lora: stem(near) }), onClick: use }).title = near;
      }
    } else if (facts?.problem && row.on) {
      note("bad", facts.problem);
    }
    for (const { verdict, text } of found.findings) {
      note({ fits: "info", "cannot work": "bad" }[verdict] ?? "warn", text);
    }
    below.hidden = chips.hidden && !notes.childElementCount;
  }

  function showSuggestion(row, value) {
    const other = value !== undefined && Math.abs(value - row.model) >= 0.01;
    hint.hidden = !other || !row.on;
    if (other) {
      hint.textContent = words("suggested", { n: value.toFixed(2) });
      hint.title = words("suggested_hint");
    }
  }

  return {
    element,
    focus: () => face.focus(),
    focusStrength: () => model.focus(),
    // found: {fits, findings, suggested} of this row; missing: refuse or skip
    show(row, facts, found, missing) {
      const broken = row.on && (facts?.missing ? missing === "refuse" : Boolean(facts?.problem));
      element.dataset.state = !row.on ? "off" : broken ? "bad" : facts?.missing ? "skipped" : "on";
      toggle.setAttribute("aria-checked", String(row.on));
      toggle.setAttribute("aria-label", words("on_or_off", { lora: stem(row.lora) || words("row") }));
      name.textContent = row.lora ? stem(row.lora) : words("choose");
      name.classList.toggle("empty", !row.lora);
      face.title = row.lora || words("choose");
      model.show(row.model);
      text.element.hidden = row.text === null;
      strengths.classList.toggle("two", row.text !== null);
      if (row.text !== null) text.show(row.text);
      showPicture(row.lora, facts);
      showUnder(row, facts, found);
      showChips(row, facts);
      showNotes(row, facts, found, missing);
      showSuggestion(row, found.suggested);
    },
  };
}
