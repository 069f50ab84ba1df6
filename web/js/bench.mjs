// The views of the test bench on its nodes. Each shows what the node's last run sent.
import { app } from "../../../scripts/app.js";
import { api } from "../../../scripts/api.js";
import { createCopiesView } from "./bench_copies.mjs";
import { createDiagnoseView } from "./bench_diagnose.mjs";
import { createGridView } from "./bench_grid.mjs";
import { createTestView } from "./bench_test.mjs";
import { findNode } from "./graph_nodes.mjs";
import { post } from "./server.mjs";
import { addStylesheet } from "./stylesheet.mjs";

const WIDGET_NAME = "lorasmith_bench";
const WIDGET_TYPE = "LORASMITH_BENCH_VIEW";

export const address = ({ filename, subfolder, type }) =>
  api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type })}`);
export const photoAddress = (token, size) => api.apiURL(`/lorasmith/photos/${token}/${size}`);

// A button of the bench: what the server answers, or an error in its words.
const recommend = async (lora, strength) => (await post("bench/recommend", { lora, strength })).text;

// node type -> {key of what it sends, view, least height in px}
const VIEWS = {
  Lorasmith_TestLora: { key: "lorasmith_test", create: createTestView, height: 360 },
  Lorasmith_StrengthGrid: { key: "lorasmith_grid", create: createGridView, height: 360 },
  Lorasmith_Diagnose: { key: "lorasmith_diagnosis", create: createDiagnoseView, height: 300 },
  // Only where there are copies, and no taller than it needs: the verdict's picture has the rest of the node.
  Lorasmith_CheckDiversity: { key: "lorasmith_copies", create: createCopiesView, height: 170, isFixed: true },
};

function addView(node) {
  const kind = VIEWS[node.comfyClass];
  const view = kind.create({ address, photoAddress, recommend, node });
  view.element.style.minHeight = `${kind.height}px`; // all that Nodes 2.0 looks at
  const widget = node.addDOMWidget(WIDGET_NAME, WIDGET_TYPE, view.element, {
    serialize: false,
    hideOnZoom: false,
    getMinHeight: () => kind.height,
  });
  widget.serialize = false;
  if (kind.isFixed) {
    widget.computeLayoutSize = undefined;
    widget.computeSize = () => [node.size[0], kind.height];
  }
  const removed = node.onRemoved;
  node.onRemoved = function () {
    removed?.apply(this, arguments);
    view.remove();
  };
  node.lorasmithBench = view;
}

function showOutput(node, output) {
  const kind = VIEWS[node.comfyClass];
  const said = output?.[kind?.key]?.[0];
  if (!said) return;
  if (!node.lorasmithBench) {
    if (!said.copies?.length) return;
    addView(node);
    node.setSize([node.size[0], node.size[1] + kind.height]);
  }
  node.lorasmithBench.show(said);
}

function showOutputs(outputs) {
  for (const [id, output] of Object.entries(outputs)) {
    const node = findNode(id);
    if (node) showOutput(node, output);
  }
}

app.registerExtension({
  name: "lorasmith.bench",

  setup: () => addStylesheet("bench"),

  nodeCreated(node) {
    if (!VIEWS[node.comfyClass]) return;
    if (!VIEWS[node.comfyClass].isFixed) addView(node);
    const inherited = node.onExecuted;
    node.onExecuted = function (output) {
      inherited?.apply(this, arguments);
      showOutput(this, output);
    };
  },

  onNodeOutputsUpdated: showOutputs,
  afterConfigureGraph: () => showOutputs(app.nodeOutputs ?? {}),
});
