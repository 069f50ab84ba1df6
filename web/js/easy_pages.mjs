// The four pages of the easy mode. Each returns {element, refresh(), outcome(output), status(detail), stopped(text)}.
import { button, choice, field, part, progress, textBox } from "./easy_parts.mjs";
import { newFolder, sortOut, upload } from "./easy_upload.mjs";
import { createReportView } from "./report_view.mjs";

// What the three words of Plan Training and Caption Photos are for each answer.
const SUBJECTS = {
  person: ["character", "person"],
  woman: ["character", "woman"],
  man: ["character", "man"],
  character: ["character", "character"],
  animal: ["object", "animal"],
  thing: ["object", "object"],
  style: ["style", "style"],
};

// The starter base, first in its list, knows few words: it has test prompts of its own.
function suiteFor(purpose, isStarter) {
  if (!isStarter) return purpose;
  return purpose === "style" ? "starter_style" : "starter";
}

function page(document, lead) {
  const element = document.createElement("div");
  element.className = "lorasmith-easy-page";
  part(element, "p", "lorasmith-easy-lead", lead);
  return element;
}

export function photosPage({ document, words, graph, run, next, sheet }) {
  const element = page(document, words("photos_lead"));
  const drop = part(element, "label", "lorasmith-easy-drop");
  part(drop, "span", "lorasmith-easy-drop-title", words("drop"));
  part(drop, "small", "", words("drop_hint"));
  const files = part(drop, "input", "lorasmith-easy-files");
  files.type = "file";
  files.multiple = true;
  files.accept = "image/*,.txt,.caption";
  const folder = field(element, words("folder"), textBox(document, "", "my_photos"), words("folder_hint"));
  const row = part(element, "div", "lorasmith-easy-row");
  const check = button(row, words("check"), () => start(!folder.value.trim() && graph.usesDemo()), "primary");
  button(row, words("demo"), () => start(true));
  const bar = progress(element);
  const found = part(element, "div", "lorasmith-easy-found");
  found.append(sheet.element);
  found.hidden = true;
  const on = button(element, words("next_train"), next, "primary");
  on.hidden = true;

  async function take(list) {
    const { pictures, captions } = sortOut(list);
    const total = pictures.length + captions.length;
    if (!pictures.length) return bar.say(words("no_pictures", { total: list.length }));
    const name = newFolder();
    const failed = await upload([...pictures, ...captions], name, (done) =>
      bar.show(words("uploading", { done, total }), done, total),
    );
    folder.value = name;
    bar.say("");
    if (failed.length < total) await start();
    if (failed.length)
      bar.say(words("not_copied", { count: failed.length, total, names: failed.slice(0, 3).join(", ") }));
  }

  async function start(demo = false) {
    if (!demo && !folder.value.trim()) {
      bar.say(words("no_photos"));
      folder.focus();
      return;
    }
    await graph.open();
    graph.useDemo(demo);
    if (!demo) graph.set({ "photos.folder": folder.value.trim() });
    else folder.value = "";
    await run("audit", bar);
  }

  files.addEventListener("change", () => files.files.length && take([...files.files]).then(() => (files.value = "")));
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.stopPropagation();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    drop.classList.remove("over");
    take([...event.dataTransfer.files]);
  });
  folder.addEventListener("keydown", (event) => event.key === "Enter" && start());

  return {
    element,
    bar,
    refresh() {
      if (!folder.value && !graph.usesDemo()) folder.value = graph.valueOf("photos", "folder") ?? "";
    },
    outcome(output) {
      const report = output?.lorasmith?.[0];
      if (!report) return;
      bar.say("");
      sheet.showReport(report, output);
      sheet.text = graph.valueOf("audit", "overrides") ?? "";
      found.hidden = on.hidden = false;
      check.textContent = words("check_again");
    },
  };
}

export function trainPage({ document, words, graph, run }) {
  const element = page(document, words("train_lead"));
  const subjects = Object.keys(SUBJECTS).map((key) => [key, words(`what_${key}`)]);
  const what = field(element, words("what"), choice(document, subjects, "person"));
  const trigger = field(element, words("trigger"), textBox(document, "ohwx"), words("trigger_hint"));
  const base = field(element, words("base"), choice(document, []), words("base_hint"));
  const bar = progress(element);
  button(element, words("train"), start, "primary");

  async function start() {
    const word = trigger.value.trim();
    if (!graph.find("photos") || !(graph.usesDemo() || graph.valueOf("photos", "folder"))) return bar.say(words("no_photos"));
    if (!word) {
      trigger.focus();
      return bar.say(words("trigger_missing"));
    }
    const [purpose, noun] = SUBJECTS[what.value];
    graph.set({
      "audit.purpose": purpose,
      "plan.purpose": purpose,
      "captions.trigger": word,
      "captions.class_word": noun,
      "prompts.trigger": "",
      "prompts.class_word": "",
      "prompts.suite": suiteFor(purpose, base.value === base.options[0]?.value),
      "base.checkpoint": base.value,
      "train.name": word,
      "test.name": word,
      "test.side_px": 0,
    });
    await run("train", bar);
  }

  return {
    element,
    bar,
    refresh() {
      const known = graph.choicesOf("base", "checkpoint");
      const chosen = base.value || graph.valueOf("base", "checkpoint");
      base.replaceChildren(...choice(document, known.map((name) => [name, name])).children);
      if (known.includes(chosen)) base.value = chosen;
    },
    outcome() {},
  };
}

// While it learns the panel tells how far it is and how long it takes; the bar is for what comes before.
export function watchPage({ document, words, panel, stop, next }) {
  const element = page(document, "");
  const lead = element.firstElementChild;
  const bar = progress(element);
  const end = button(element, words("stop"), stop);
  element.append(panel.element);
  const on = button(element, words("next_test"), next, "primary");
  const say = (text, running, done) => {
    lead.textContent = text;
    end.hidden = !running || panel.isRunning();
    on.hidden = !done;
    panel.element.hidden = !done && !panel.isRunning();
  };
  say(words("watch_idle"), false, false);
  panel.onNews = () => {
    if (!panel.isRunning()) return;
    say("", true, false);
    bar.say("");
  };
  return {
    element,
    bar: {
      say: bar.say,
      show(...what) {
        if (panel.isRunning()) bar.say("");
        else bar.show(...what);
      },
    },
    refresh: () => panel.catchUp(),
    status: () => say("", true, false),
    stopped: (text) => say(text, false, false),
    outcome(output) {
      const report = output?.lorasmith?.[0];
      if (!report) return;
      bar.say("");
      panel.showReport(report, output);
      say(words("done_training"), false, true);
    },
  };
}

export function testPage({ document, words, graph, run, testView, diagnoseView }) {
  const element = page(document, words("test_lead"));
  const bar = progress(element);
  const again = button(element, words("test"), start, "primary");
  const report = createReportView(document);
  const views = [report.element, diagnoseView.element, testView.element];
  element.append(...views);
  for (const view of views) view.hidden = true;
  let trained = false;

  async function start() {
    if (!trained) return bar.say(words("untrained"));
    await run("diagnose", bar);
  }

  return {
    element,
    bar,
    refresh() {},
    allow: () => (trained = true),
    outcome(output) {
      const [test] = output?.lorasmith_test ?? [];
      const [diagnosis] = output?.lorasmith_diagnosis ?? [];
      if (test) {
        report.element.hidden = testView.element.hidden = false;
        report.showReport(output.lorasmith[0], output);
        testView.show(test);
        again.textContent = words("test_again");
      }
      if (diagnosis) {
        bar.say("");
        diagnoseView.element.hidden = false;
        diagnoseView.show(diagnosis);
      }
    },
  };
}
