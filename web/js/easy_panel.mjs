// The easy mode: four steps beside the canvas that build, run and read one visible workflow.
import { button, inWords, part, secondsLeft } from "./easy_parts.mjs";
import { photosPage, testPage, trainPage, watchPage } from "./easy_pages.mjs";

const STEPS = ["photos", "train", "watch", "test"];
const NODE_OF = { photos: "audit", train: "plan", watch: "train", test: "test" };
const PAGE_OF = { audit: "photos", train: "watch", test: "test", diagnose: "test" };

// tools: {document, words, graph, sheet, trainPanel, testView, diagnoseView, stop(), outputOf(name)}
export function createEasyPanel(tools) {
  const { document, words, graph } = tools;
  const element = document.createElement("section");
  element.className = "lorasmith-easy";
  element.setAttribute("aria-label", words("title"));
  const steps = part(element, "nav", "lorasmith-easy-steps");
  const body = part(element, "div", "lorasmith-easy-body");
  const foot = part(element, "footer", "lorasmith-easy-foot");
  button(foot, words("show"), () => graph.showOnCanvas(NODE_OF[current]), "link");

  let current = "photos";
  let running = null; // {name, page, node, started}
  const done = new Set();

  const shared = { document, words, graph, run };
  const pages = {
    photos: photosPage({ ...shared, sheet: tools.sheet, next: () => go("train") }),
    train: trainPage(shared),
    watch: watchPage({ ...shared, panel: tools.trainPanel, stop: tools.stop, next: () => go("test") }),
    test: testPage({ ...shared, testView: tools.testView, diagnoseView: tools.diagnoseView }),
  };
  const buttons = Object.fromEntries(STEPS.map((step, index) => [step, stepButton(step, index)]));
  body.append(...STEPS.map((step) => pages[step].element));
  go("photos");

  function stepButton(step, index) {
    const one = button(steps, "", () => go(step), "step");
    part(one, "span", "lorasmith-easy-number", String(index + 1)).setAttribute("aria-hidden", "true");
    part(one, "span", "", words(`step_${step}`));
    part(one, "span", "lorasmith-easy-state");
    return one;
  }

  function go(step) {
    current = step;
    for (const each of STEPS) {
      pages[each].element.hidden = each !== step;
      buttons[each].toggleAttribute("aria-current", each === step);
      if (each === step) buttons[each].setAttribute("aria-current", "step");
    }
    pages[step].refresh();
    marks();
  }

  function marks() {
    for (const step of STEPS) {
      const state = running?.page === step ? "running" : done.has(step) ? "done" : "";
      buttons[step].dataset.state = state;
      const mark = buttons[step].querySelector(".lorasmith-easy-state");
      mark.textContent = state === "done" ? "✓" : state === "running" ? "…" : "";
      mark.setAttribute("aria-label", state ? words(`state_${state}`) : "");
    }
  }

  async function run(name) {
    const step = PAGE_OF[name];
    running = { name, page: step };
    if (step !== current) go(step);
    pages[step].bar.show(words("waiting"));
    pages[step].status?.({ text: words("waiting") });
    marks();
    try {
      await graph.runTo(name);
    } catch (error) {
      ended(words("failed", { why: error.message }));
    }
  }

  function bar() {
    return running && pages[running.page].bar;
  }

  function ended(text) {
    if (!running) return;
    pages[running.page].stopped?.(text);
    bar().say(text);
    running = null;
    marks();
  }

  function nameOf(id) {
    return Object.keys(PAGE_OF).find((name) => String(graph.find(name)?.id) === String(id));
  }

  return {
    element,
    show: () => go(current),
    // What ComfyUI tells; ids are those of nodes.
    onStart: () => bar()?.show(words("working")),
    onProgress(id, value, max) {
      if (!running || !(max > 1) || PAGE_OF[nameOf(id)] !== running.page) return;
      if (running.node !== id) [running.node, running.started] = [id, performance.now()];
      const left = secondsLeft(value, max, running.started, performance.now());
      const time = left === null ? "" : `, ${words("left", { time: inWords(left, words) })}`;
      bar().show(`${value} / ${max}${time}`, value, max);
    },
    onStatus(id, detail) {
      if (running && PAGE_OF[nameOf(id)] === running.page) pages[running.page].status?.(detail);
    },
    onOutput(id, output) {
      const name = nameOf(id);
      const step = PAGE_OF[name];
      if (!step) return;
      pages[step].outcome(output);
      done.add(step);
      if (name === "train") {
        done.add("train");
        pages.test.allow();
      }
      if (running?.name === name) running = null;
      marks();
    },
    onError: (why) => ended(words("failed", { why })),
    onInterrupted: () => ended(words("stopped")),
    // The run is over: what was asked for may have come from the cache, without a word.
    onFinished() {
      if (!running) return;
      const { name } = running;
      const known = tools.outputOf(name);
      running = null;
      if (known) this.onOutput(graph.find(name).id, known);
      marks();
    },
  };
}
