// Ranked causes with their evidence, and cures as buttons that change the graph.
import { button, icon, keepEvents, make } from "./bench_dom.mjs";
import { apply, planOf, showNode, undo } from "./bench_cures.mjs";
import { words } from "./bench_words.mjs";

const MOST_PHOTOS = 12;

// options: {photoAddress, node}; the node may be made anew between two uses.
export function createDiagnoseView(options) {
  const { photoAddress } = options;
  const element = make("section", "-view");
  element.setAttribute("aria-label", words("diagnosis"));
  keepEvents(element);
  let said = null;

  function empty() {
    element.replaceChildren();
    make("p", "-empty", element, words("diagnosis_empty"));
  }

  function show(next) {
    said = next;
    element.replaceChildren();
    const list = make("ol", "-causes -scroll", element);
    list.dataset.captureWheel = "true";
    if (!said.causes.length) make("p", "-empty", list, words(said.verdict ? "healthy_verdict" : "healthy", said));
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
    if (cure.value.length > MOST_PHOTOS) make("span", "-more", row, words("and_more", { n: cure.value.length - MOST_PHOTOS }));
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
      const text = make("span", "-cure-text", row, cure.text);
      if (cure.target !== "you") make("span", "-cure-note", text, ` ${words("no_node")}`);
      return;
    }
    if (plan.done()) {
      icon("check", make("span", "-cure-mark -cure-done", row));
      make("span", "-cure-text", row, words("done", cure));
      button("-small", row, words("show"), () => showNode(plan.node));
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
    make("span", "-cure-text", row, words("changed_now", plan));
    button("-small", row, words("show"), () => showNode(plan.node));
    const back = button("-small", row, words("undo"), () => undo());
    back.title = words("undo_hint");
    back.focus();
    element.querySelector(".lorasmith-bench-spoken").textContent = words("changed", plan);
  }

  // The same change offered by several causes is done in all of them.
  function refresh() {
    const rows = [...element.querySelectorAll(".lorasmith-bench-cure")];
    said.causes.flatMap((cause) => cause.cures).forEach((cure, index) => rows[index] && fillCure(rows[index], cure));
  }

  function unknownCard(list) {
    const card = make("li", "-cause -unknown", list);
    make("strong", "", card, words("unknown"));
    for (const sentence of said.unknown) make("p", "-evidence", card, sentence);
  }

  empty();
  return { element, show, remove() {} };
}
