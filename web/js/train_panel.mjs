// The training panel on Train LoRA: follows the node's newest run, before, during and after a reload of the page.
import { app } from "../../../scripts/app.js";
import { api } from "../../../scripts/api.js";
import { findNode, workflowId } from "./graph_nodes.mjs";
import { post } from "./server.mjs";
import { addStylesheet } from "./stylesheet.mjs";
import { addNews, createTraining, fromHistory, isRunning } from "./train_store.mjs";
import { createTrainView } from "./train_view.mjs";
import { words } from "./train_words.mjs";

const NODE = "Lorasmith_TrainLora";
const WIDGET_TYPE = "LORASMITH_TRAINING";
const MARGINS = 20; // ComfyUI's own, above and below a widget
const MIN_WIDTH = 400;
const trainings = new Map(); // id of a run -> what is known of it
const loading = new Map(); // id of a run -> its history on the way

const runAddress = (run, file = "") => `/lorasmith/train/runs/${run}${file && `/${encodeURIComponent(file)}`}`;

async function getJson(address) {
  const answer = await api.fetchApi(address);
  return answer.ok ? answer.json() : null;
}

// The whole run from the server; null when it does not know it any more.
function load(run) {
  if (!loading.has(run)) {
    const asked = getJson(runAddress(run)).finally(() => loading.delete(run));
    loading.set(run, asked.then((history) => history && remember(run, fromHistory(history))));
  }
  return loading.get(run);
}

function remember(run, training) {
  trainings.set(run, training);
  return training;
}

// What went wrong, in words; empty when the server has heard it.
const tell = (run, command) => post("train/tell", { run, do: command }).then(() => "", (error) => error.message);

// Runs of another workflow are not this graph's, even where their nodes have the same number.
const isHere = ({ workflow }) => !workflow || workflow === workflowId();

const watchers = new Set(); // {nodeOf, panel}: panels beside the canvas that follow a node's run

// Every panel that shows this run's node.
function panelsOf({ node, ...head }) {
  const found = isHere(head) ? findNode(node) : null;
  if (!found) return [];
  const beside = [...watchers].filter(({ nodeOf }) => nodeOf() === found).map(({ panel }) => panel);
  return [found.lorasmithTraining, ...beside].filter(Boolean);
}

const redrawAll = (head) => panelsOf(head).forEach((panel) => panel.redraw());
const followAll = (head, id) => panelsOf(head).forEach((panel) => panel.follow(id));

// A second panel for the run of the node that nodeOf() finds, such as in the sidebar.
export function watchTraining(nodeOf) {
  const panel = createPanel(() => {}, () => beside.onNews());
  const beside = {
    ...panel.view,
    onNews() {},
    isRunning: () => Boolean(panel.training && isRunning(panel.training)),
    catchUp: () => panel.follow(nodeOf()?.lorasmithTraining?.run ?? ""),
  };
  watchers.add({ nodeOf, panel });
  return beside;
}

function createPanel(fit, drawn = () => {}) {
  let run = "";
  let due = 0;
  const view = createTrainView({
    address: (id, file) => api.apiURL(runAddress(id, file)),
    tell: (command) => tell(run, command),
    resized: fit,
  });

  // At most once a frame, however fast the news comes.
  function redraw() {
    due ||= requestAnimationFrame(() => {
      due = 0;
      const training = trainings.get(run);
      if (training) view.draw(training);
      drawn();
    });
  }

  return {
    view,
    redraw,
    follow(id) {
      if (id !== run) view.say("");
      run = id;
      redraw();
    },
    get run() {
      return run;
    },
    get training() {
      return trainings.get(run);
    },
    remove() {
      cancelAnimationFrame(due);
    },
  };
}

function addPanel(node) {
  const panel = createPanel(() => {
    const wanted = node.computeSize();
    node.setSize([Math.max(node.size[0], wanted[0]), Math.max(node.size[1], wanted[1])]);
    node.graph?.setDirtyCanvas(true, true);
  });
  const { view } = panel;
  const widget = node.addDOMWidget("lorasmith_training", WIDGET_TYPE, view.element, { serialize: false, hideOnZoom: false });
  widget.serialize = false;
  widget.computeLayoutSize = undefined;
  widget.computeSize = () => [Math.max(node.size[0], MIN_WIDTH), view.wantedHeight() + MARGINS];
  const removed = node.onRemoved;
  node.onRemoved = function () {
    removed?.apply(this, arguments);
    panel.remove();
  };
  node.lorasmithTraining = panel;
  // The pack's reports and status lines land here instead of on a card of their own.
  node.lorasmithView = { element: view.element, showReport: view.showReport, showStatus() {}, showStopped() {}, wantedHeight: view.wantedHeight };
}

async function heard({ detail }) {
  const { id } = detail;
  followAll(detail, id);
  const known = trainings.get(id);
  if (!known && detail.from === 0) remember(id, createTraining(detail));
  const complete = trainings.has(id) ? addNews(trainings.get(id), detail) : false;
  if (!complete) await load(id);
  redrawAll(detail);
  announce(detail);
}

const announced = new Set();

// Said once, wherever in the graph the user is looking.
function announce({ id, state, report }) {
  if (!report || announced.has(id)) return;
  announced.add(id);
  const severity = { failed: "error", cancelled: "warn" }[state] ?? (report.tone === "warn" ? "warn" : "success");
  const detail = report.text.split("\n").slice(0, 2).join("\n");
  app.extensionManager.toast.add({ severity, summary: report.title, detail, life: 8000 });
}

const LOST = {
  title: words("lost"),
  text: words("lost_text"),
  tone: "warn",
};

// After a reload or a change of tabs: each node's newest run, as far as this server knows one.
async function rebuild() {
  const runs = (await getJson("/lorasmith/train/runs")) ?? [];
  for (const [id, training] of trainings) {
    if (isRunning(training) && !runs.some((head) => head.id === id)) {
      training.head = { ...training.head, state: "cancelled", report: LOST };
      redrawAll(training.head);
    }
  }
  const newest = new Map(runs.filter(isHere).map((head) => [head.node, head]));
  for (const head of newest.values()) {
    if (findNode(head.node)?.lorasmithTraining) await show(head);
  }
}

async function show(head) {
  if (!isRunning({ head })) announced.add(head.id); // what ended before is no news
  const known = trainings.get(head.id);
  const training = known && !isRunning(known) ? known : await load(head.id);
  if (training) followAll(head, head.id);
}

// A result from the cache, or of a graph that was queued without an editor.
async function showOutputs(outputs) {
  for (const [id, output] of Object.entries(outputs ?? {})) {
    const run = output?.lorasmith_train?.[0]?.run;
    const panels = run ? panelsOf({ node: id }) : [];
    if (panels.every((panel) => panel.run === run)) continue;
    if (trainings.has(run) || (await load(run))) panels.forEach((panel) => panel.follow(run));
  }
}

app.registerExtension({
  name: "lorasmith.training",

  setup() {
    addStylesheet("train");
    api.addEventListener("lorasmith.train", heard);
    api.addEventListener("reconnected", rebuild);
  },

  nodeCreated(node) {
    if (node.comfyClass !== NODE) return;
    addPanel(node);
    const inherited = node.onExecuted;
    node.onExecuted = function (output) {
      inherited?.apply(this, arguments);
      showOutputs({ [this.id]: output });
    };
  },

  onNodeOutputsUpdated: showOutputs,
  async afterConfigureGraph() {
    await rebuild();
    await showOutputs(app.nodeOutputs);
  },
});
