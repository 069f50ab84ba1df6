// Ranked causes with their evidence, and cures as buttons that change the graph.
import { button, icon, keepEvents, make } from "./bench_dom.mjs";
import { apply, planOf, showNode, undo } from "./bench_cures.mjs";

const EMPTY = "Connect a test, the photos and the plan, and run: what is wrong, why, and what to change appears here.";
const MOST_PHOTOS = 12;

// options: {photoAddress, node}; the node may be made anew between two uses.
export function createDiagnoseView(options) {
  const { photoAddress } = options;
  const element = make("section", "-view");
  element.setAttribute("aria-label", "Diagnosis");
  keepEvents(element);
  let said = null;

  function empty() {
    element.replaceChildren();
    make("p", "-empty", element, EMPTY);
  }

  function show(next) {
    said = next;
    element.replaceChildren();
    const list = make("ol", "-causes -scroll", element);
    list.dataset.captureWheel = "true";
    if (!said.causes.length) make("p", "-empty", list, `Nothing to cure was found${said.verdict ? `: ${said.verdict}` : ""}.`);
    said.causes.forEach((cause, index) => causeCard(list, cause, index));
    if (said.unknown.length) unknownCard(list);
    const spoken = make("div", "-spoken", element);
    spoken.setAttribute("role", "status");
  }

  function causeCard(list, cause, index) {
    const card = make("li", "-cause", list);
    const head = make("header", "-cause-head", card);
    make("span", "-rank", head, String(index + 1));
    make("strong", "-cause-title", head, cause.title);
    make("p", "-evidence", card, cause.evidence);
    for (const cure of cause.cures) cureRow(card, cure);
  }

  function photosOf(card, cure) {
    if (cure.op !== "drop_photos") return;
    const row = make("div", "-photos", card);
    for (const name of cure.value.slice(0, MOST_PHOTOS)) {
      const photo = said.photos[name];
      if (!photo?.token) continue;
      const image = make("img", "", row);
      Object.assign(image, { src: photoAddress(photo.token, "tile"), alt: name, title: name, loading: "lazy" });
    }
    if (cure.value.length > MOST_PHOTOS) make("span", "-more", row, `and ${cure.value.length - MOST_PHOTOS} more`);
  }

  function cureRow(card, cure) {
    photosOf(card, cure);
    const row = make("div", "-cure", card);
    fillCure(row, cure);
  }

  function fillCure(row, cure) {
    const plan = planOf(cure, said, options.node);
    row.replaceChildren();
    if (!plan) {
      icon("angle-right", make("span", "-cure-mark", row));
      const words = make("span", "-cure-text", row, cure.text);
      if (cure.target !== "you") make("span", "-cure-note", words, ` (no node in this graph sets it)`);
      return;
    }
    if (plan.done()) {
      icon("check", make("span", "-cure-mark -cure-done", row));
      make("span", "-cure-text", row, `Done: ${cure.text}`);
      button("-small", row, "Show", () => showNode(plan.node));
      return;
    }
    const press = button("-action", row, cure.text, () => doIt(row, cure, plan));
    press.title = plan.text;
  }

  function doIt(row, cure, plan) {
    apply(plan);
    refresh();
    row.replaceChildren();
    icon("check", make("span", "-cure-mark -cure-done", row));
    make("span", "-cure-text", row, `${plan.text}. Run again to see the effect.`);
    button("-small", row, "Show", () => showNode(plan.node));
    const back = button("-small", row, "Undo", () => undo());
    back.title = "The same as Ctrl+Z in the graph";
    back.focus();
    element.querySelector(".lorasmith-bench-spoken").textContent = `Changed. ${plan.text}`;
  }

  // The same change offered by several causes is done in all of them.
  function refresh() {
    const rows = [...element.querySelectorAll(".lorasmith-bench-cure")];
    said.causes.flatMap((cause) => cause.cures).forEach((cure, index) => rows[index] && fillCure(rows[index], cure));
  }

  function unknownCard(list) {
    const card = make("li", "-cause -unknown", list);
    make("strong", "", card, "Could not be looked at");
    for (const sentence of said.unknown) make("p", "-evidence", card, sentence);
  }

  empty();
  return { element, show, remove() {} };
}
