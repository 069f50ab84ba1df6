// One sample, large, over the whole window. Arrows walk through the rows and columns, Escape closes.

// handlers: {onMove(down, right), onClose()}
export function createLightbox({ onMove, onClose }) {
  const dialog = document.createElement("dialog");
  dialog.className = "lorasmith-lightbox";
  const image = document.createElement("img");
  image.alt = "";
  const words = document.createElement("p");
  words.setAttribute("aria-live", "polite");
  const keys = document.createElement("p");
  keys.className = "keys";
  keys.textContent = "← → steps   ↑ ↓ prompts   Esc close";
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "✕";
  close.setAttribute("aria-label", "Close");
  dialog.append(image, words, keys, close);

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
      if (!dialog.isConnected) document.body.append(dialog);
      image.src = address;
      words.textContent = text;
      dialog.setAttribute("aria-label", text);
      if (!dialog.open) dialog.showModal();
    },
    remove: () => dialog.remove(),
  };
}
