// Pictures of the bench, large, over the whole window: one, or two side by side.
import { button, make, meter } from "./bench_dom.mjs";
import { words } from "./bench_words.mjs";

// What is shown: {pictures: [{src, label}], title, lines: [text], meters: [[title, share]], warn}
// onMove(step, isVertical): an arrow key was pressed.
export function createBenchZoom({ onMove, onClose, keyWords = [["← →", words("next_picture")], ["Esc", words("to_close")]] }) {
  const dialog = make("dialog", "-zoom", document.body);
  const stage = make("div", "-zoom-stage", dialog);
  const side = make("aside", "-zoom-side", dialog);
  const head = make("header", "-zoom-head", side);
  const title = make("h2", "-zoom-title", head);
  const close = button("-zoom-close", head, "✕", () => dialog.close());
  close.setAttribute("aria-label", words("close"));
  const where = make("p", "-zoom-where", side);
  const warn = make("p", "-zoom-warn", side);
  const lines = make("div", "-zoom-words", side);
  const meters = make("div", "-zoom-meters", side);
  const keys = make("footer", "-zoom-keys", side);
  for (const [key, word] of keyWords) {
    make("kbd", "", keys, key);
    make("span", "", keys, word);
  }

  dialog.addEventListener("close", () => onClose());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (step) {
      event.preventDefault();
      onMove(step, event.key === "ArrowUp" || event.key === "ArrowDown");
    }
    event.stopPropagation();
  });

  return {
    dialog,
    show(shown, position) {
      stage.replaceChildren();
      for (const { src, label } of shown.pictures) {
        const figure = make("figure", "-zoom-figure", stage);
        const image = make("img", "", figure);
        image.src = src;
        image.alt = label;
        make("figcaption", "", figure, label);
      }
      stage.dataset.count = shown.pictures.length;
      title.textContent = shown.title;
      dialog.setAttribute("aria-label", shown.title);
      where.textContent = position;
      warn.textContent = shown.warn ?? "";
      warn.hidden = !shown.warn;
      lines.replaceChildren();
      for (const line of shown.lines) make("p", "", lines, line);
      meters.replaceChildren();
      for (const [name, share] of shown.meters ?? []) meter(meters, name, share);
      if (!dialog.open) dialog.showModal();
      close.focus();
    },
    remove: () => dialog.remove(),
  };
}
