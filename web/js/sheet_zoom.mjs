// One photo, large, over the whole window: why it was judged so, and its crop.
import { createCropEditor, startBox } from "./sheet_crop.mjs";
import { createMark, drawBoxes, part, setMark } from "./sheet_marks.mjs";
import { groupTitle, scoreText, scoreTitle, words } from "./sheet_words.mjs";

const KEY_LINE = [
  ["← →", words("key_next")], ["K X U", words("key_decide")], ["C", words("key_crop")], [words("alt_arrows"), words("key_move_crop")],
  ["Esc", words("key_close")],
];

function button(parent, className, text, key, onClick) {
  const element = part(parent, "button", `lorasmith-button ${className}`);
  element.type = "button";
  part(element, "span", "", text);
  part(element, "kbd", "", key);
  element.addEventListener("click", onClick);
  return element;
}

// options: {state, address(token, size), suggestions, onKey(event), onChange(), onClose()}
export function createZoom(document, options) {
  const { state } = options;
  const dialog = part(document.body, "dialog", "lorasmith-zoom");
  const stage = part(dialog, "div", "lorasmith-zoom-stage");
  stage.tabIndex = 0;
  stage.type = "textarea"; // leaves Ctrl+Z to the sheet, as in the grid
  const frame = part(stage, "div", "lorasmith-zoom-frame");
  const image = part(frame, "img", "lorasmith-zoom-image");
  const boxes = part(frame, "div", "lorasmith-boxes");
  const failed = part(stage, "p", "lorasmith-zoom-failed");
  const side = part(dialog, "aside", "lorasmith-zoom-side");
  const head = part(side, "header", "lorasmith-zoom-head");
  const mark = createMark(document);
  head.append(mark);
  const title = part(head, "h2", "lorasmith-zoom-title");
  const close = button(head, "lorasmith-zoom-close", "✕", "", () => dialog.close());
  close.setAttribute("aria-label", words("close"));
  const where = part(side, "p", "lorasmith-zoom-where");
  const verdict = part(side, "p", "lorasmith-zoom-verdict");
  const actions = part(side, "div", "lorasmith-zoom-actions");
  const keep = button(actions, "lorasmith-button-keep", words("keep"), "K", () => decide("keep"));
  const reject = button(actions, "lorasmith-button-reject", words("leave_out"), "X", () => decide("reject"));
  const reset = button(actions, "", words("as_judged"), "U", () => decide(null));
  const reasons = part(side, "ul", "lorasmith-zoom-reasons");
  const cropping = part(side, "section", "lorasmith-zoom-section");
  const cropText = part(cropping, "p", "lorasmith-zoom-note");
  const cropActions = part(cropping, "div", "lorasmith-zoom-actions");
  const ownCrop = button(cropActions, "", words("own_crop"), "C", () => changeCrop(editor.box ?? startBox(photo)));
  const dropCrop = button(cropActions, "", words("drop_crop"), "C", () => changeCrop(null));
  part(side, "h3", "", words("measured"));
  const numbers = part(side, "dl", "lorasmith-zoom-numbers");
  const keys = part(side, "footer", "lorasmith-keys");
  for (const [key, word] of KEY_LINE) {
    part(keys, "kbd", "", key);
    part(keys, "span", "", word);
  }
  const editor = createCropEditor(frame, { onDone: changeCrop });
  let index = -1;
  let photo = null;

  function decide(word) {
    state.decide([index], word);
    options.onChange();
    show();
    stage.focus();
  }

  function changeCrop(box) {
    state.setCrop(index, box);
    options.onChange();
    show();
    stage.focus();
  }

  // The picture as large as the stage allows, in its own shape.
  function fit() {
    if (!photo || !stage.clientWidth) return;
    const room = [stage.clientWidth - 48, stage.clientHeight - 48];
    const scale = Math.min(room[0] / photo.width, room[1] / photo.height);
    frame.style.width = `${photo.width * scale}px`;
    frame.style.height = `${photo.height * scale}px`;
  }
  new ResizeObserver(fit).observe(stage);

  image.addEventListener("error", () => {
    failed.textContent = words("cannot_show");
    failed.hidden = false;
    frame.hidden = true;
  });

  function showCrop() {
    const own = state.stateOf(index).crop;
    const box = own ?? photo.crop ?? options.suggestions.of(photo.token);
    editor.show(photo, box, Boolean(own));
    const size = box ? words("size_px", { width: box[2] - box[0], height: box[3] - box[1] }) : "";
    cropText.textContent = own
      ? words("crop_yours", { size })
      : box ? words("crop_suggested", { size }) : words("crop_none");
    ownCrop.hidden = Boolean(own);
    dropCrop.hidden = !own;
  }

  function showReasons(current) {
    reasons.replaceChildren();
    if (photo.unreadable) part(reasons, "li", "lorasmith-reason-reject", photo.unreadable);
    for (const reason of photo.reasons) part(reasons, "li", `lorasmith-reason-${reason.severity}`, reason.text);
    if (!reasons.children.length) {
      const open = state.data.not_judged.length;
      const rest = open ? ` ${words("not_made_here", { count: open })}` : "";
      part(reasons, "li", "lorasmith-reason-none", words("nothing_found") + rest);
    }
    const group = state.groupOf.get(index);
    if (group) part(reasons, "li", "lorasmith-reason-group", `${groupTitle(group.kind)}: ${group.text}`);
    const by = current.by === "you" ? "you" : "audit";
    verdict.textContent = words(photo.unreadable ? "cannot_read" : current.kept ? `kept_by_${by}` : `out_by_${by}`);
    numbers.replaceChildren();
    for (const [name, value] of Object.entries(photo.scores)) {
      part(numbers, "dt", "", scoreTitle(name));
      part(numbers, "dd", "", scoreText(name, value));
    }
  }

  function show(position = null) {
    photo = state.photos[index];
    const current = state.stateOf(index);
    const src = photo.token ? options.address(photo.token, "view") : "";
    failed.hidden = Boolean(src);
    failed.textContent = src ? "" : words("no_picture_file");
    frame.hidden = !src;
    if (src && image.getAttribute("src") !== src) {
      image.src = src;
      image.alt = photo.name;
      image.style.backgroundImage = `url("${options.address(photo.token, "tile")}")`; // until it is there
    }
    dialog.setAttribute("aria-label", photo.name);
    setMark(mark, current.tone);
    title.textContent = photo.name;
    if (position) where.textContent = `${position}${photo.unreadable ? "" : ` · ${words("size_px", photo)}`}`;
    for (const element of [keep, reject, reset]) element.disabled = Boolean(photo.unreadable);
    keep.setAttribute("aria-pressed", String(current.kept));
    reject.setAttribute("aria-pressed", String(!current.kept));
    reset.disabled ||= current.by !== "you";
    cropping.hidden = Boolean(photo.unreadable);
    showReasons(current);
    drawBoxes(boxes, photo, null, false);
    showCrop();
    fit();
  }

  dialog.addEventListener("close", () => options.onClose());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    if (event.altKey && event.key.startsWith("Arrow")) {
      editor.nudge(event.key, event.shiftKey);
      event.preventDefault();
    } else if (event.key.toLowerCase() === "c" && !event.ctrlKey && !event.metaKey && !photo.unreadable) {
      changeCrop(state.stateOf(index).crop ? null : (editor.box ?? startBox(photo)));
      event.preventDefault();
    } else {
      options.onKey(event);
    }
    event.stopPropagation();
  });

  return {
    dialog,
    get open() {
      return dialog.open;
    },
    // position: "12 of 46"
    present(newIndex, position) {
      index = newIndex;
      if (!dialog.open) dialog.showModal();
      show(position);
      if (!photo.crop) options.suggestions.want([photo.token]);
      stage.focus();
    },
    refresh: () => dialog.open && show(),
    refreshCrop: () => dialog.open && showCrop(),
    close: () => dialog.close(),
    remove: () => dialog.remove(),
  };
}
