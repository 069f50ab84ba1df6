// Generated pictures beside the training photos that they repeat.
import { arrows, button, keepEvents, make } from "./bench_dom.mjs";
import { words } from "./bench_words.mjs";
import { createBenchZoom } from "./bench_zoom.mjs";

export function createCopiesView({ address, photoAddress }) {
  const element = make("section", "-view");
  element.setAttribute("aria-label", words("copies"));
  keepEvents(element);
  let copies = [];
  let zoom = null;
  let at = 0;

  function show(said) {
    copies = said.copies;
    element.replaceChildren();
    const head = make("header", "-legend", element);
    make("span", "-legend-what", head, words("count_copies", { count: copies.length + said.more }));
    make("span", "-legend-key", head, words("copies_key"));
    const list = make("div", "-scroll -copies", element);
    list.dataset.captureWheel = "true";
    copies.forEach((copy, index) => {
      const tile = button("-pair -pair-copy", list, "", () => open(index));
      tile.setAttribute("aria-label", words("repeats", copy));
      tile.title = words(copy.mirrored ? "repeats_mirrored" : "repeats", copy);
      make("img", "", tile).src = address(copy.made);
      if (copy.token) make("img", "", tile).src = photoAddress(copy.token, "tile");
    });
    arrows(list, ".lorasmith-bench-pair", () => 1);
  }

  function open(index) {
    at = index;
    const copy = copies[index];
    const pictures = [{ src: address(copy.made), label: copy.picture }];
    if (copy.token) pictures.push({ src: photoAddress(copy.token, "view"), label: words("training_photo", copy) });
    zoom ??= createBenchZoom({
      onMove: (step) => open((at + step + copies.length) % copies.length),
      onClose: () => element.querySelectorAll(".lorasmith-bench-pair")[at]?.focus(),
    });
    zoom.show({
      pictures, title: words("repeats", copy),
      lines: copy.mirrored ? [words("is_mirrored")] : [], meters: [[words("same_picture"), copy.likeness]],
    }, words("one_of", { n: index + 1, of: copies.length }));
  }

  return { element, show, remove: () => zoom?.remove() };
}
