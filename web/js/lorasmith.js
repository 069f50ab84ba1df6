// Shows what Lorasmith's nodes found, on the node itself: a verdict, the words, and live status.
import { app } from "../../../scripts/app.js";
import { api } from "../../../scripts/api.js";
import { createReportView, PREFIX } from "./report_view.mjs";
import "./fetch_lora.mjs";
import "./lora_stack.mjs";

const WIDGET_NAME = "lorasmith_report";
const WIDGET_TYPE = "LORASMITH_REPORT_VIEW";

function addStylesheet() {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("../css/lorasmith.css", import.meta.url).href;
  document.head.append(link);
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
  viewOf(node).showReport(report);
  fit(node);
}

// Node ids inside subgraphs read "12:5": the node 5 in the subgraph of node 12.
function findNode(id) {
  let graph = app.graph;
  let node = null;
  for (const part of String(id).split(":")) {
    node = graph?.getNodeById(Number(part)) ?? graph?.getNodeById(part);
    graph = node?.subgraph;
  }
  return node?.comfyClass?.startsWith(PREFIX) ? node : null;
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

  setup() {
    addStylesheet();
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
  onNodeOutputsUpdated(outputs) {
    for (const [id, output] of Object.entries(outputs)) {
      const node = findNode(id);
      if (node) showOutput(node, output);
    }
  },
});
