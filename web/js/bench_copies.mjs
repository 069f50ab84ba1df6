// Generated pictures beside the training photos that they repeat.
import { arrows, button, counted, keepEvents, make } from "./bench_dom.mjs";
import { createBenchZoom } from "./bench_zoom.mjs";

export function createCopiesView({ address, photoAddress }) {
  const element = make("section", "-view");
  element.setAttribute("aria-label", "Copies of training photos");
  keepEvents(element);
  let copies = [];
  let zoom = null;
  let at = 0;

  function show(said) {
    copies = said.copies;
    element.replaceChildren();
    const head = make("header", "-legend", element);
    make("span", "-legend-what", head, counted(copies.length + said.more, "copy", "copies"));
    make("span", "-legend-key", head, "left the picture, right the training photo");
    const list = make("div", "-scroll -copies", element);
    list.dataset.captureWheel = "true";
    copies.forEach((copy, index) => {
      const tile = button("-pair -pair-copy", list, "", () => open(index));
      tile.setAttribute("aria-label", `${copy.picture} repeats ${copy.photo}`);
      tile.title = `${copy.picture} repeats ${copy.photo}${copy.mirrored ? ", mirrored" : ""}`;
      make("img", "", tile).src = address(copy.made);
      if (copy.token) make("img", "", tile).src = photoAddress(copy.token, "tile");
    });
    arrows(list, ".lorasmith-bench-pair", () => 1);
  }

  function open(index) {
    at = index;
    const copy = copies[index];
    const pictures = [{ src: address(copy.made), label: copy.picture }];
    if (copy.token) pictures.push({ src: photoAddress(copy.token, "view"), label: `training photo ${copy.photo}` });
    zoom ??= createBenchZoom({
      onMove: (step) => open((at + step + copies.length) % copies.length),
      onClose: () => element.querySelectorAll(".lorasmith-bench-pair")[at]?.focus(),
    });
    zoom.show({
      pictures, title: `${copy.picture} repeats ${copy.photo}`,
      lines: copy.mirrored ? ["The picture is the photo mirrored."] : [], meters: [["Same picture", copy.likeness]],
    }, `${index + 1} of ${copies.length}`);
  }

  return { element, show, remove: () => zoom?.remove() };
}
