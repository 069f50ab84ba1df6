// Choosing a LoRA: search, folders, pictures. Thousands of files: what is not in sight is not made.
import { button, icon, make, popup } from "./lora_stack_dom.mjs";
import { folder, search, stem } from "./lora_stack_rows.mjs";
import { forget, info, list, pictureAddress } from "./lora_stack_server.mjs";
import { words } from "./lora_stack_words.mjs";

const PAGE = 60;
let lastFolder = "";

// choose(name, {keepOpen}): keepOpen with Shift, to add many.
export function pickLora(anchor, { current = "", used = new Set(), many = false, choose }) {
  let names = [];
  let shown = [];
  let drawn = 0;
  let active = -1;

  popup(anchor, "-picker", (panel, close) => {
    const top = make("div", "-picker-top", panel);
    icon("search", top);
    const field = make("input", "-search", top);
    Object.assign(field, { type: "text", placeholder: words("search"), spellcheck: false, autocomplete: "off" });
    field.setAttribute("aria-label", words("search"));
    field.setAttribute("role", "combobox");
    const count = make("span", "-count", top);
    button("-icon", top, { symbol: "refresh", label: words("read_again"), onClick: () => load(true) });
    const folders = make("div", "-folders", panel);
    const options = make("div", "-options", panel);
    options.setAttribute("role", "listbox");
    const keys = words(many ? "keys_many" : "keys_one");
    const hint = make("div", "-hint", panel, keys);

    async function load(fresh) {
      if (fresh) forget();
      try {
        names = (await list(fresh)).loras;
      } catch (error) {
        hint.textContent = error.message;
        return;
      }
      drawFolders();
      draw();
    }

    function drawFolders() {
      const counts = new Map([["", names.length]]);
      for (const name of names) {
        const first = folder(name).split("/")[0];
        if (first) counts.set(first, (counts.get(first) ?? 0) + 1);
      }
      if (!counts.has(lastFolder)) lastFolder = "";
      folders.replaceChildren();
      folders.hidden = counts.size < 2;
      for (const [name, total] of counts) {
        const chip = button("-folder", folders, { text: name || words("all"), onClick: () => openFolder(name) });
        make("span", "-count", chip, String(total));
        chip.setAttribute("aria-pressed", String(name === lastFolder));
      }
    }

    function openFolder(name) {
      lastFolder = name;
      drawFolders();
      draw();
      field.focus();
    }

    function draw() {
      const within = names.filter((name) => !lastFolder || folder(name).split("/")[0] === lastFolder);
      shown = search(within, field.value);
      count.textContent = shown.length === names.length ? `${names.length}` : words("one_of", { n: shown.length, of: names.length });
      options.replaceChildren();
      options.scrollTop = 0;
      drawn = 0;
      if (!shown.length) {
        const why = !names.length ? "none_at_all" : lastFolder ? "none_in" : "none_so";
        make("div", "-nothing", options, words(why, { folder: lastFolder }));
      }
      drawMore();
      const at = field.value ? 0 : shown.indexOf(current);
      if (at >= PAGE) while (drawn <= at) drawMore();
      activate(Math.max(0, at), at > 0);
    }

    function drawMore() {
      for (const name of shown.slice(drawn, drawn + PAGE)) options.append(option(name));
      drawn = Math.min(shown.length, drawn + PAGE);
    }

    function option(name) {
      const element = make("div", "-option", null);
      element.setAttribute("role", "option");
      element.dataset.name = name;
      const picture = make("div", "-thumb", element);
      icon("image", picture);
      const text = make("div", "-option-text", element);
      const title = make("div", "-option-name", text, stem(name));
      title.title = name;
      const place = make("div", "-option-folder", text, folder(name));
      const base = make("span", "-badge base", element);
      base.hidden = true;
      if (used.has(name)) make("span", "-badge", element, words("in_stack"));
      element.addEventListener("click", (event) => pick(name, event.shiftKey));
      element.addEventListener("pointermove", () => activate(shown.indexOf(name)));
      sight.observe(element);
      element.fill = () =>
        info(name).then((facts) => {
          base.textContent = facts.base ?? "";
          base.hidden = !facts.base;
          if (facts.problem) {
            element.classList.add("broken");
            place.textContent = facts.problem;
          } else {
            place.textContent = [folder(name), facts.size, facts.words[0]].filter(Boolean).join(" · ");
          }
          const address = pictureAddress(name, facts);
          if (!address) return;
          const image = make("img", "", null);
          image.alt = "";
          image.src = address;
          image.addEventListener("load", () => picture.replaceChildren(image));
        }, () => {});
      return element;
    }

    // Facts and pictures are asked for only when an entry comes into sight.
    const sight = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          if (!isIntersecting) continue;
          sight.unobserve(target);
          target.fill();
        }
      },
      { root: options, rootMargin: "120px" },
    );

    function activate(at, scroll = true) {
      options.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
      active = shown.length ? Math.max(0, Math.min(shown.length - 1, at)) : -1;
      while (active >= drawn) drawMore();
      const element = active >= 0 ? options.children[active] : null;
      element?.setAttribute("aria-selected", "true");
      if (scroll) element?.scrollIntoView({ block: "nearest" });
    }

    function pick(name, stay) {
      if (!name) return;
      choose(name);
      if (!(many && stay)) {
        close();
        return;
      }
      used.add(name);
      hint.textContent = words("added", { lora: stem(name) });
      field.select();
    }

    options.addEventListener("scroll", () => {
      if (options.scrollTop + options.clientHeight > options.scrollHeight - 200) drawMore();
    });
    field.addEventListener("input", draw);
    field.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
      if (step) {
        event.preventDefault();
        activate(active + step);
      } else if (event.key === "Enter") {
        event.preventDefault();
        pick(shown[active], event.shiftKey);
      }
    });
    load(false);
    queueMicrotask(() => field.focus());
  });
}
