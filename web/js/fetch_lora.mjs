// The widget of the Fetch LoRA node: what a link is, and a download by a click.
//
// Only its buttons ask the network. Its value is one JSON text {link, name, sha256}: the link as the
// server cleaned it (no key in it), and the file that was fetched. Opening or running a workflow asks no hub.
import { app } from "../../../scripts/app.js";
import { api } from "../../../scripts/api.js";
import { createFetchView } from "./fetch_lora_view.mjs";
import { post } from "./server.mjs";
import { addStylesheet } from "./stylesheet.mjs";

const WIDGET_TYPE = "LORASMITH_FETCH_LORA";
const MARGINS = 20; // ComfyUI's own, above and below a widget
const widgets = new Set(); // of nodes in a graph
const latest = new Map(); // what was last heard of each download: news may outrun the answer that names it

const ask = (action, body) => post(`hub/${action}`, body);

function parse(text) {
  try {
    const { link = "", name = "", sha256 = "" } = JSON.parse(text || "{}");
    return { link: String(link), name: String(name), sha256: String(sha256) };
  } catch {
    return { link: "", name: "", sha256: "" };
  }
}

function createController(node) {
  let value = parse("");
  let found = null; // what the last look-up answered
  let job = ""; // id of the running download

  const view = createFetchView(document, {
    look: (link) => guarded(() => look(link)),
    download: (choice) => guarded(() => download(choice)),
    stop: () => guarded(() => ask("stop", { id: job })),
    resized: fit,
  });

  async function guarded(work) {
    try {
      await work();
    } catch (error) {
      view.showError(error.message);
    }
    fit();
  }

  function store(next) {
    value = next;
    node.graph?.setDirtyCanvas(true, true);
  }

  async function look(link) {
    if (job) return;
    view.showLooking();
    const answer = await ask("look", { link });
    if (answer.choices) {
      view.showChoices(answer);
      return;
    }
    found = answer;
    const { link: clean, sha256 } = answer.record;
    const same = sha256 === value.sha256;
    store({ link: clean, name: answer.here || (same ? value.name : ""), sha256: answer.here ? sha256 : "" });
    view.showFound(answer);
  }

  async function download({ folder, name }) {
    const { link, sha256 } = found.record;
    const started = await ask("download", { link, sha256, folder, name });
    follow(latest.get(started.id) ?? started);
  }

  function follow(news) {
    job = news.id;
    heard(news);
  }

  function heard(news) {
    if (news.id !== job) return;
    if (news.state === "running") {
      view.showProgress(news);
      return;
    }
    job = "";
    if (news.state === "done") {
      store({ link: news.link, name: news.name, sha256: news.sha256 });
      view.showDone(news);
    } else {
      view.showEnded(news, found);
    }
    fit();
  }

  // A saved workflow: what is in it is shown; whether the file is here only this computer is asked.
  async function restore(text) {
    value = parse(text);
    view.showSaved(value);
    if (value.sha256) {
      const { name } = await ask("have", value);
      view.showSaved(name ? { ...value, name } : value, Boolean(name));
    } else if (value.link) {
      const news = (await ask("jobs", {})).filter(({ link, state }) => link === value.link && state !== "failed");
      if (news.length) follow(news.at(-1));
    }
  }

  function fit() {
    const wanted = node.computeSize();
    node.setSize([Math.max(node.size[0], wanted[0]), wanted[1]]);
    node.graph?.setDirtyCanvas(true, true);
  }

  return {
    view,
    heard,
    getValue: () => JSON.stringify(value),
    setValue: (text) => guarded(() => restore(text)),
  };
}

app.registerExtension({
  name: "lorasmith.fetch_lora",

  getCustomWidgets() {
    return {
      [WIDGET_TYPE](node, inputName) {
        const controller = createController(node);
        const { view } = controller;
        const widget = node.addDOMWidget(inputName, WIDGET_TYPE, view.element, {
          hideOnZoom: false,
          getValue: controller.getValue,
          setValue: controller.setValue,
          getMinHeight: () => view.wantedHeight() + MARGINS,
        });
        widgets.add(controller);
        const inherited = widget.onRemove;
        widget.onRemove = function () {
          widgets.delete(controller);
          inherited?.apply(this, arguments);
        };
        return { widget, minWidth: 380, minHeight: 60 };
      },
    };
  },

  setup() {
    addStylesheet("fetch_lora");
    api.addEventListener("lorasmith.fetch", ({ detail }) => {
      latest.set(detail.id, detail);
      for (const controller of widgets) controller.heard(detail);
    });
  },
});
