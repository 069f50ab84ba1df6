// Shows what Lorasmith's nodes found, on the node itself: a verdict, the words, and live status.
import { app } from "../../../scripts/app.js";
import { api } from "../../../scripts/api.js";
import { createReportView, PREFIX } from "./report_view.mjs";
import "./bench.mjs";
import "./fetch_lora.mjs";
import { findNode } from "./graph_nodes.mjs";
import "./lora_stack.mjs";
import { createSheet } from "./sheet.mjs";
import { addStylesheet } from "./stylesheet.mjs";
import "./train_panel.mjs";

const WIDGET_NAME = "lorasmith_report";
const WIDGET_TYPE = "LORASMITH_REPORT_VIEW";

const SHEET_TYPE = "LORASMITH_SHEET";

const photoAddress = (token, size) => `/lorasmith/photos/${token}/${size}`;

// Where the crop node would cut; null where that cannot be said.
async function suggestedCrop(token) {
  const answer = await api.fetchApi(photoAddress(token, "crop"));
  return answer.ok ? (await answer.json()).box : null;
}

// What went wrong, in words; empty when the files are there.
async function fetchModels(id) {
  const answer = await api.fetchApi(`/lorasmith/models/${id}`, { method: "POST" });
  return answer.ok ? "" : answer.text();
}

// The server words its results in the language of this page.
function tellLanguage() {
  const locale = app.extensionManager.setting.get("Comfy.Locale");
  const body = JSON.stringify({ locale: String(locale ?? "") });
  return api.fetchApi("/lorasmith/language", { method: "POST", headers: { "Content-Type": "application/json" }, body });
}

// Decisions count as changes of the workflow: saved, marked as unsaved, and undone by the editor.
let noted = 0;
function noteChange() {
  clearTimeout(noted);
  noted = setTimeout(() => app.extensionManager.workflow?.activeWorkflow?.changeTracker?.captureCanvasState?.(), 200);
}

// The contact sheet is the widget of an input: its value, the user's decisions, is saved with the workflow.
function addSheet(node, name) {
  const sheet = createSheet({
    document,
    address: (token, size) => api.apiURL(photoAddress(token, size)),
    suggest: suggestedCrop,
    fetchModels,
    onChange: noteChange,
    place: () => node.graph && `${node.graph.rootGraph?.id ?? node.graph.id}:${node.graph.id}:${node.id}`,
  });
  const widget = node.addDOMWidget(name, SHEET_TYPE, sheet.element, {
    hideOnZoom: false,
    getValue: () => sheet.text,
    setValue: (text) => (sheet.text = typeof text === "string" ? text : ""),
    getMinHeight: () => sheet.wantedHeight(),
  });
  const removed = node.onRemoved;
  node.onRemoved = function () {
    removed?.apply(this, arguments);
    sheet.remove();
  };
  node.lorasmithView = sheet;
  return { widget, minWidth: 560, minHeight: 240 };
}

// The view of a node, made when there is first something to say.
function viewOf(node) {
  if (node.lorasmithView) return node.lorasmithView;
  const view = createReportView(document);
  const widget = node.addDOMWidget(WIDGET_NAME, WIDGET_TYPE, view.element, {
    serialize: false,
    hideOnZoom: false,
  });
  widget.serialize = false;
  // A height of its own instead of a share of what is left: pictures get the rest of the node.
  widget.computeLayoutSize = undefined;
  widget.computeSize = () => [node.size[0], view.wantedHeight(node.size[0])];
  node.lorasmithView = view;
  return view;
}

// After new words: the node grows where it has to, and never shrinks below what the user chose.
function fit(node) {
  const wanted = node.computeSize();
  node.setSize([Math.max(node.size[0], wanted[0]), Math.max(node.size[1], wanted[1])]);
  node.graph?.setDirtyCanvas(true, true);
}

function showOutput(node, output) {
  const report = output?.lorasmith?.[0];
  if (!report) return;
  viewOf(node).showReport(report, output);
  fit(node);
}

function showOutputs(outputs) {
  for (const [id, output] of Object.entries(outputs)) {
    const node = findNode(id);
    if (node) showOutput(node, output);
  }
}

function showStatus({ detail }) {
  const node = findNode(detail.node);
  if (!node) return;
  viewOf(node).showStatus(detail);
  fit(node);
}

function showStopped() {
  for (const node of app.graph.nodes) node.lorasmithView?.showStopped();
}

app.registerExtension({
  name: "lorasmith.report",

  getCustomWidgets: () => ({ [SHEET_TYPE]: addSheet }),

  setup() {
    tellLanguage();
    addStylesheet("lorasmith");
    addStylesheet("sheet");
    addStylesheet("zoom");
    api.addEventListener("lorasmith.status", showStatus);
    api.addEventListener("execution_error", showStopped);
    api.addEventListener("execution_interrupted", showStopped);
    // A new LoRA file: the lists of every LoRA loader in the graph learn of it at once.
    api.addEventListener("lorasmith.lora_saved", () => app.refreshComboInNodes());
  },

  nodeCreated(node) {
    if (!node.comfyClass?.startsWith(PREFIX)) return;
    const inherited = node.onExecuted;
    node.onExecuted = function (output) {
      inherited?.apply(this, arguments);
      showOutput(this, output);
    };
  },

  // Results that ComfyUI brings back, such as after a page reload or from the queue's history.
  onNodeOutputsUpdated: showOutputs,

  // Undo and a change of tabs make every node anew; their results are still there.
  afterConfigureGraph: () => showOutputs(app.nodeOutputs ?? {}),
});
