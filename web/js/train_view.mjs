// What the training panel looks like. No network; it draws what the store knows.
import { createLossChart, createSignalChart } from "./train_curves.mjs";
import { isRunning, wasMeasured } from "./train_store.mjs";
import { createStrip } from "./train_strip.mjs";
import { lossText, memoryText, NONE, rateText, speedText, timeText, whyNot, words } from "./train_words.mjs";

const MARKS = { good: "✓", warn: "!", bad: "✕", info: "i" };
const FACTS = ["loss", "rate", "speed", "left", "memory"];
const BUTTONS = ["stop", "save", "sample"];

function part(parent, tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

// options: {address(run, file), tell(command), resized()}
export function createTrainView(options) {
  const element = document.createElement("section");
  element.className = "lorasmith-train";
  element.setAttribute("aria-label", words("training"));
  const body = part(element, "div", "lorasmith-train-body");

  const head = part(body, "header", "lorasmith-train-head");
  const mark = part(head, "span", "lorasmith-train-mark");
  mark.setAttribute("aria-hidden", "true");
  const title = part(head, "strong", "lorasmith-train-title");
  title.setAttribute("role", "status");
  const share = part(head, "span", "lorasmith-train-share");
  const bar = part(body, "progress", "lorasmith-train-bar");
  bar.setAttribute("aria-label", words("steps_done"));
  const text = part(body, "p", "lorasmith-train-text");
  const facts = part(body, "dl", "lorasmith-train-facts");
  const values = {};
  for (const name of FACTS) {
    const fact = part(facts, "div", "");
    part(fact, "dt", "", words(`fact_${name}`));
    values[name] = part(fact, "dd", "", NONE);
  }
  const actions = part(body, "div", "lorasmith-train-actions");
  const buttons = {};
  for (const command of BUTTONS) {
    buttons[command] = Object.assign(part(actions, "button", command, words(`do_${command}`)), { type: "button" });
    buttons[command].addEventListener("click", () => press(command));
    buttons[command].dataset.tip = words(`tip_${command}`);
  }
  const said = part(body, "p", "lorasmith-train-said");
  said.setAttribute("role", "status");
  const [loss, signals] = [createLossChart(), createSignalChart()];
  body.append(loss.element, signals.element);
  const note = part(body, "p", "lorasmith-train-note");
  const alarms = part(body, "ul", "lorasmith-train-alarms");
  alarms.setAttribute("aria-live", "polite");
  alarms.setAttribute("aria-label", words("alarms"));
  const strip = createStrip(options);
  body.append(strip.element);
  new ResizeObserver(() => options.resized()).observe(body);
  let training = null;
  let report = null; // of a run that the server has forgotten
  let stopping = "";

  // aria-disabled instead of disabled: the reason can then be read by pointing at it or tabbing to it.
  async function press(command) {
    if (buttons[command].getAttribute("aria-disabled") === "true") return;
    if (command === "stop") stopping = training.head.id;
    say(words(`doing_${command}`));
    drawButtons();
    const problem = await options.tell(command);
    if (!problem) return;
    stopping = "";
    say(problem);
    drawButtons();
  }

  function say(line) {
    said.textContent = line;
    said.hidden = !line;
  }

  function drawHead() {
    const ended = training ? training.head.report : report;
    const { state, step = 0, total = 0 } = training?.head ?? {};
    element.dataset.state = training ? state : report ? "done" : "empty";
    const tone = ended?.tone ?? "info";
    element.dataset.tone = tone;
    mark.textContent = MARKS[tone] ?? MARKS.info;
    mark.hidden = !ended;
    title.textContent = ended?.title ?? (!training ? words("none_yet") : state === "training" ? words("step_of", { step, total }) : words("preparing"));
    const working = training && isRunning(training);
    share.textContent = working && state === "training" ? words("percent", { n: Math.floor((100 * step) / Math.max(total, 1)) }) : "";
    bar.hidden = !working;
    if (state === "training") Object.assign(bar, { max: Math.max(total, 1), value: step });
    else bar.removeAttribute("value");
    text.textContent = ended?.text ?? (training ? training.head.text : words("empty"));
    text.hidden = !text.textContent || (state === "training" && training.loss.length > 0);
  }

  function drawFacts() {
    facts.hidden = !training?.loss.length;
    if (facts.hidden) return;
    const { latest, head: { seconds_left: left } } = training;
    values.loss.textContent = lossText(training.loss.at(-1).smooth);
    values.rate.textContent = rateText(latest.learning_rate);
    values.speed.textContent = speedText(latest.steps_per_second);
    values.left.textContent = isRunning(training) ? timeText(left ?? NaN) : words("s", { n: 0 });
    values.left.parentElement.hidden = !isRunning(training);
    values.memory.textContent = memoryText(latest.memory_bytes);
    values.memory.parentElement.hidden = !Number.isFinite(latest.memory_bytes);
  }

  function drawNotes() {
    const { best, signals: lines = [], alarms: found = [] } = training ?? {};
    const measured = training && wasMeasured(training, "likeness");
    const unmeasured = lines.length && !measured ? words("not_measured") : "";
    note.textContent = [best && words(best.why ? "best_why" : "best", best), unmeasured].filter(Boolean).join(" ").replace("..", ".");
    note.hidden = !note.textContent || !(training && isRunning(training));
    alarms.hidden = !found.length;
    const wanted = found.map(({ step, text: line }) => words("alarm", { step, text: line }));
    if ([...alarms.children].map((line) => line.textContent).join() !== wanted.join()) {
      alarms.replaceChildren();
      for (const line of wanted) part(alarms, "li", "", line);
    }
  }

  function drawButtons() {
    for (const [command, button] of Object.entries(buttons)) {
      const ends = training && stopping === training.head.id && isRunning(training) ? words("why_stopping") : "";
      const reason = whyNot(training) || ends;
      button.setAttribute("aria-disabled", String(Boolean(reason)));
      button.title = reason || button.dataset.tip;
    }
    actions.hidden = Boolean(training) && !isRunning(training);
    if (!training || !isRunning(training)) say("");
  }

  function drawCurves() {
    if (!training) {
      for (const { element: hidden } of [loss, signals, strip]) hidden.hidden = true;
      return;
    }
    loss.draw(training);
    signals.draw(training);
    strip.draw(training);
  }

  function draw(next) {
    training = next;
    drawHead();
    drawFacts();
    drawCurves();
    drawNotes();
    drawButtons();
  }

  draw(null);
  return {
    element,
    draw,
    say,
    showReport(next) {
      report = next;
      if (!training) draw(null);
    },
    wantedHeight() {
      const height = Math.ceil(body.offsetHeight) || 120;
      element.style.minHeight = `${height}px`; // all that Nodes 2.0 looks at
      return height;
    },
  };
}
