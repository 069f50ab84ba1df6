// A strength: a number to type, and a scale with the guide's zones to drag.
// Arrows and, once it was clicked, the wheel step by 0.05, with Shift by 0.2, with Alt by 0.01; Tab goes from
// strength to strength. Without the focus the wheel is the canvas's, as over ComfyUI's own fields.
import { button, make } from "./lora_stack_dom.mjs";
import { round, STEP, zoneOf } from "./lora_stack_rows.mjs";

const SCALE_END = 1.5;

// onChange(value, {done}): done is false while a drag goes on.
export function createStrength({ label, onChange }) {
  const element = make("div", "-strength");
  element.dataset.captureWheel = "true"; // Nodes 2.0 then leaves the wheel to us while the focus is in here
  const line = make("div", "-strength-line", element);
  const less = button("-step", line, { text: "−", label: "", onClick: () => step(-STEP) });
  const field = make("input", "-number", line);
  const more = button("-step", line, { text: "+", label: "", onClick: () => step(STEP) });
  less.tabIndex = more.tabIndex = -1;
  less.setAttribute("aria-hidden", "true");
  more.setAttribute("aria-hidden", "true");
  Object.assign(field, { type: "text", inputMode: "decimal", autocomplete: "off", spellcheck: false });
  field.setAttribute("role", "spinbutton");
  field.setAttribute("aria-label", label);
  const scale = make("div", "-scale", element);
  for (const zone of ["faint", "light", "normal", "strong"]) make("span", `-zone ${zone}`, scale);
  const knob = make("span", "-knob", scale);
  let value = 1;

  function show(next) {
    value = next;
    if (document.activeElement !== field || Number(field.value.replace(",", ".")) !== next) {
      field.value = next.toFixed(2).replace(/(\.\d\d)0+$/, "$1");
    }
    const [zone, meaning] = zoneOf(next);
    element.dataset.zone = zone;
    element.title = meaning;
    field.setAttribute("aria-valuenow", String(next));
    field.setAttribute("aria-valuetext", `${next}, ${meaning}`);
    knob.style.left = `${(Math.min(SCALE_END, Math.max(0, next)) / SCALE_END) * 100}%`;
    knob.classList.toggle("beyond", next < 0 || next > SCALE_END);
  }

  function set(next, done = true) {
    const rounded = round(next);
    if (rounded === value && !done) return;
    show(rounded);
    onChange(rounded, { done });
  }

  function step(by) {
    set(round(value + by));
    field.value = value.toFixed(2);
  }

  const amount = (event) => (event.altKey ? 0.01 : event.shiftKey ? 0.2 : STEP);

  function typed() {
    const number = Number(field.value.trim().replace(",", "."));
    if (field.value.trim() === "" || !Number.isFinite(number)) {
      field.value = value.toFixed(2);
    } else if (round(number) !== value) {
      set(number);
    }
    field.value = value.toFixed(2);
  }

  field.addEventListener("focus", () => field.select());
  field.addEventListener("blur", typed);
  field.addEventListener("keydown", (event) => {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (direction) {
      event.preventDefault();
      step(direction * amount(event));
      field.select();
    } else if (event.key === "Enter") {
      typed();
      field.select();
    } else if (event.key === "Escape") {
      field.value = value.toFixed(2);
      field.blur();
    }
  });
  element.addEventListener(
    "wheel",
    (event) => {
      if (document.activeElement !== field || event.ctrlKey || event.metaKey) return; // it zooms the canvas
      event.preventDefault();
      event.stopPropagation();
      const turned = event.deltaY || event.deltaX;
      if (turned) step(-Math.sign(turned) * amount(event));
    },
    { passive: false },
  );

  scale.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    scale.setPointerCapture(event.pointerId);
    field.focus();
    const follow = (at, done) => {
      const box = scale.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (at.clientX - box.left) / box.width));
      set(round(share * SCALE_END, at.altKey ? 0.01 : STEP), done);
    };
    const moved = (at) => follow(at, false);
    const ended = (at) => {
      scale.removeEventListener("pointermove", moved);
      scale.removeEventListener("pointerup", ended);
      scale.removeEventListener("pointercancel", ended);
      follow(at, true);
    };
    scale.addEventListener("pointermove", moved);
    scale.addEventListener("pointerup", ended);
    scale.addEventListener("pointercancel", ended);
    follow(event, false);
  });

  return { element, show, focus: () => field.focus() };
}
