// The easy mode's tab in ComfyUI's sidebar.
import { app } from "../../../scripts/app.js";
import { api } from "../../../scripts/api.js";
import { address, photoAddress } from "./bench.mjs";
import { createDiagnoseView } from "./bench_diagnose.mjs";
import { createTestView } from "./bench_test.mjs";
import * as graph from "./easy_graph.mjs";
import { createEasyPanel } from "./easy_panel.mjs";
import { createSheet } from "./sheet.mjs";
import { addStylesheet } from "./stylesheet.mjs";
import { watchTraining } from "./train_panel.mjs";
import { loadWords } from "./words.mjs";

// The same contact sheet as on the node; decisions go into the node's own widget, so they are saved with the workflow.
function createOwnSheet() {
  return createSheet({
    document,
    address: (token, size) => api.apiURL(`/lorasmith/photos/${token}/${size}`),
    suggest: async (token) => {
      const answer = await api.fetchApi(`/lorasmith/photos/${token}/crop`);
      return answer.ok ? (await answer.json()).box : null;
    },
    fetchModels: async (id) => {
      const answer = await api.fetchApi(`/lorasmith/models/${id}`, { method: "POST" });
      return answer.ok ? "" : answer.text();
    },
    onChange: (text) => graph.set({ "audit.overrides": text }),
    place: () => "lorasmith-easy",
  });
}

function listen(panel) {
  const on = (event, handle) => api.addEventListener(event, ({ detail }) => handle(detail ?? {}));
  on("execution_start", () => panel.onStart());
  on("progress_state", ({ nodes }) => {
    for (const [id, { state, value, max }] of Object.entries(nodes ?? {})) {
      if (state === "running") panel.onProgress(id, value, max);
    }
  });
  on("lorasmith.status", (detail) => panel.onStatus(detail.node, detail));
  on("executed", ({ node, output }) => panel.onOutput(node, output));
  on("execution_error", ({ exception_message: why }) => panel.onError(String(why ?? "").trim()));
  on("execution_interrupted", () => panel.onInterrupted());
  on("execution_success", () => panel.onFinished());
}

async function createPanel() {
  const words = await loadWords("easy");
  const panel = createEasyPanel({
    document,
    words,
    graph,
    sheet: createOwnSheet(),
    trainPanel: watchTraining(() => graph.find("train")),
    stop: () => api.interrupt(),
    testView: createTestView({ address, photoAddress }),
    diagnoseView: createDiagnoseView({
      photoAddress,
      get node() {
        return graph.find("diagnose");
      },
    }),
    outputOf: (name) => app.nodeOutputs?.[graph.find(name)?.id],
  });
  listen(panel);
  return panel;
}

let panel = null; // made when the tab is first opened, kept while the page lives

app.registerExtension({
  name: "lorasmith.easy",

  async setup() {
    addStylesheet("easy");
    const words = await loadWords("easy");
    app.extensionManager.registerSidebarTab({
      id: "lorasmith",
      icon: "pi pi-sparkles",
      title: words("title"),
      tooltip: words("tooltip"),
      type: "custom",
      async render(element) {
        panel ??= await createPanel();
        element.replaceChildren(panel.element);
        panel.show();
      },
    });
  },
});
