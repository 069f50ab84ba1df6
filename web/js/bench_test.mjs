// The pictures of a test: prompt by prompt, each pair at the same seed, with and without the LoRA.
import { arrows, button, keepEvents, make, meter } from "./bench_dom.mjs";
import { words } from "./bench_words.mjs";
import { createBenchZoom } from "./bench_zoom.mjs";

const METERS = ["likeness", "adherence", "base_fidelity"];

const mean = (values) => {
  const known = values.filter((value) => value !== null && value !== undefined);
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
};

// address({filename, subfolder, type}) and photoAddress(token, size) give addresses of pictures.
export function createTestView({ address, photoAddress }) {
  const element = make("section", "-view");
  element.setAttribute("aria-label", words("test"));
  keepEvents(element);
  let flat = []; // every pair in the order shown, with its prompt
  let zoom = null;
  let at = 0;

  function empty(text) {
    element.replaceChildren();
    make("p", "-empty", element, text);
  }

  function show(test) {
    flat = test.groups.flatMap((group) => group.pictures.map((picture) => ({ group, picture })));
    element.replaceChildren();
    const legend = make("header", "-legend", element);
    make("span", "-legend-what", legend, words("count_pairs", { count: flat.length }));
    make("span", "-legend-key", legend, words("test_key"));
    const list = make("div", "-scroll", element);
    list.tabIndex = -1;
    list.dataset.captureWheel = "true";
    let number = 0;
    for (const group of test.groups) {
      const section = make("section", "-group", list);
      const head = make("header", "-group-head", section);
      make("span", `-level -level-${group.level}`, head, words(`level_${group.level}`));
      make("span", "-prompt", head, group.prompt);
      const row = make("div", "-pairs", section);
      for (const picture of group.pictures) pairTile(row, group, picture, number++);
      const meters = make("div", "-meters", section);
      for (const name of METERS) meter(meters, words(`score_${name}`), mean(group.pictures.map((one) => one.scores[name])));
    }
    arrows(list, ".lorasmith-bench-pair", () => Math.max(1, columnsOf(list)));
  }

  function columnsOf(list) {
    const all = [...list.querySelectorAll(".lorasmith-bench-pair")];
    const row = document.activeElement?.closest(".lorasmith-bench-pairs");
    return row ? all.filter((tile) => tile.closest(".lorasmith-bench-pairs") === row).length : 1;
  }

  function pairTile(row, group, picture, number) {
    const tile = button(`-pair${picture.copy ? " -pair-copy" : ""}`, row, "", () => open(number));
    tile.setAttribute("aria-label", words(picture.copy ? "pair_copies" : "pair", { prompt: group.prompt, seed: picture.seed }));
    for (const shown of [picture.base, picture.made]) {
      if (!shown) continue;
      const image = make("img", "", tile);
      Object.assign(image, { src: address(shown), alt: "", loading: "lazy", draggable: false });
      image.style.aspectRatio = `${picture.width} / ${picture.height}`;
    }
    if (picture.copy) make("span", "-flag", tile, words("copies_one"));
    else if (picture.note) make("span", "-flag", tile, "!");
  }

  function open(number) {
    at = number;
    const { group, picture } = flat[number];
    const pictures = [];
    if (picture.base) pictures.push({ src: address(picture.base), label: words("without") });
    pictures.push({ src: address(picture.made), label: words("with") });
    if (picture.copy && picture.token) {
      pictures.push({ src: photoAddress(picture.token, "view"), label: words("training_photo", picture) });
    }
    const lines = [words("looked_for", group), words("seed", picture)];
    if (picture.photo) lines.push(words("nearest", picture));
    if (picture.scores.sharpness !== null) lines.push(words("edges", { n: picture.scores.sharpness.toFixed(1) }));
    if (picture.note) lines.push(picture.note);
    zoom ??= createBenchZoom({ onMove: move, onClose: () => element.querySelectorAll(".lorasmith-bench-pair")[at]?.focus() });
    zoom.show({
      pictures, lines, title: group.prompt,
      warn: picture.copy ? words("repeats_photo", picture) : "",
      meters: METERS.map((name) => [words(`score_${name}`), picture.scores[name]]),
    }, words("one_of", { n: number + 1, of: flat.length }));
  }

  function move(step) {
    open((at + step + flat.length) % flat.length);
  }

  empty(words("test_empty"));
  return { element, show, empty: () => empty(words("test_empty")), remove: () => zoom?.remove() };
}
