// One sample, large, over the whole window. Arrows walk through the rows and columns, Escape closes.
import { words } from "./train_words.mjs";

// parent: where it belongs. handlers: {onMove(down, right), onClose()}
export function createLightbox(parent, { onMove, onClose }) {
  const dialog = document.createElement("dialog");
  dialog.className = "lorasmith-lightbox";
  const image = document.createElement("img");
  image.alt = "";
  const caption = document.createElement("p");
  caption.setAttribute("aria-live", "polite");
  const keys = document.createElement("p");
  keys.className = "keys";
  keys.textContent = words("keys");
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "✕";
  close.setAttribute("aria-label", words("close"));
  dialog.append(image, caption, keys, close);
  parent.append(dialog);

  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => onClose());
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (by) {
      onMove(...by);
      event.preventDefault();
    }
    event.stopPropagation();
  });

  return {
    get open() {
      return dialog.open;
    },
    show(address, text) {
      image.src = address;
      caption.textContent = text;
      dialog.setAttribute("aria-label", text);
      if (!dialog.open) dialog.showModal();
    },
  };
}
