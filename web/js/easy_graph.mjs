// The workflow behind the easy mode: ordinary nodes on the canvas, found again by a mark in their properties.
import { app } from "../../../scripts/app.js";

const MARK = "lorasmith_easy";

// name: [type, [x, y], [width, height]]
const NODES = {
  demo: ["Lorasmith_DemoPhotos", [0, 60], [340, 200]],
  photos: ["Lorasmith_LoadPhotoFolder", [0, 320], [340, 190]],
  audit: ["Lorasmith_AuditDataset", [400, 60], [640, 1200]],
  base: ["Lorasmith_LoadBase", [0, 570], [340, 200]],
  crop: ["Lorasmith_CropToSubject", [1100, 60], [440, 580]],
  captions: ["Lorasmith_CaptionDataset", [1100, 700], [440, 560]],
  plan: ["Lorasmith_PlanTraining", [1640, 60], [400, 520]],
  train: ["Lorasmith_TrainLora", [2100, 60], [560, 1200]],
  prompts: ["Lorasmith_PromptSuite", [2760, 60], [420, 420]],
  test: ["Lorasmith_TestLora", [3240, 60], [760, 1500]],
  diagnose: ["Lorasmith_Diagnose", [4060, 60], [560, 1500]],
};

// From output to input, by name.
const LINKS = [
  ["photos.dataset", "audit.dataset"],
  ["audit.dataset", "crop.dataset"],
  ["base.base", "crop.base"],
  ["crop.dataset", "captions.dataset"],
  ["captions.dataset", "plan.dataset"],
  ["base.base", "plan.base"],
  ["captions.dataset", "train.dataset"],
  ["plan.plan", "train.plan"],
  ["base.clip", "train.clip"],
  ["base.vae", "train.vae"],
  ["base.base", "train.base"],
  ["base.model", "test.model"],
  ["base.clip", "test.clip"],
  ["base.vae", "test.vae"],
  ["train.lora_stack", "test.lora_stack"],
  ["prompts.suite", "test.suite"],
  ["captions.dataset", "prompts.dataset"],
  ["captions.dataset", "test.dataset"],
  ["captions.dataset", "diagnose.dataset"],
  ["plan.plan", "diagnose.plan"],
  ["train.lora_name", "diagnose.lora_name"],
  ["test.test", "diagnose.test"],
];

const GROUPS = [
  ["1 Photos", [-30, -40, 1600, 1330], "#3f5159"],
  ["2 Train", [1610, -40, 1080, 1330], "#51493f"],
  ["3 Test", [2730, -40, 1920, 1630], "#43513f"],
];

// Where the marked node of this name is; undefined when this workflow has none.
export function find(name) {
  return app.graph?.nodes.find((node) => node.properties?.[MARK] === name);
}

// The open workflow when it is the easy mode's, else a new one beside it.
export async function open() {
  if (find("photos")) return;
  if (app.graph.nodes.length) await app.extensionManager.command.execute("Comfy.NewBlankWorkflow");
  app.graph.clear();
  for (const name of Object.keys(NODES)) if (name !== "demo") add(name);
  for (const [from, to] of LINKS) connect(from, to);
  for (const [title, [x, y, width, height], color] of GROUPS) {
    const group = new LiteGraph.LGraphGroup(title);
    group.pos = [x, y];
    group.size = [width, height];
    group.color = color;
    app.graph.add(group);
  }
  note();
}

function add(name) {
  const [type, pos, size] = NODES[name];
  const node = LiteGraph.createNode(type);
  node.properties[MARK] = name;
  node.pos = [...pos];
  app.graph.add(node);
  node.setSize([...size]);
  return node;
}

function connect(from, to) {
  const [[source, output], [target, input]] = [from.split("."), to.split(".")];
  const [a, b] = [find(source), find(target)];
  const slots = [a.outputs.findIndex((slot) => slot.name === output), b.inputs.findIndex((slot) => slot.name === input)];
  if (slots.includes(-1)) throw new Error(`${from} -> ${to}?`);
  a.connect(slots[0], b, slots[1]);
}

// Undo and "unsaved" learn of what the panel did.
function note() {
  app.graph.setDirtyCanvas(true, true);
  app.extensionManager.workflow?.activeWorkflow?.changeTracker?.captureCanvasState?.();
}

function widgetOf(name, widget) {
  return find(name)?.widgets?.find((each) => each.name === widget);
}

export function valueOf(name, widget) {
  return widgetOf(name, widget)?.value;
}

export function choicesOf(name, widget) {
  const values = widgetOf(name, widget)?.options?.values ?? [];
  return typeof values === "function" ? values() : values;
}

// {"train.name": "anna"}: widgets that are not there stay unset.
export function set(values) {
  for (const [place, value] of Object.entries(values)) {
    const [name, widget] = place.split(".");
    const found = widgetOf(name, widget);
    if (!found || found.value === value) continue;
    found.value = value;
    found.callback?.(value);
  }
  note();
}

// Photos come from the demo node, or from the folder that the widget names.
export function useDemo(wanted) {
  if (!wanted) {
    const demo = find("demo");
    if (demo) app.graph.remove(demo);
  } else if (!find("demo")) {
    add("demo");
    connect("demo.folder", "photos.folder");
  }
  note();
}

export function usesDemo() {
  return Boolean(find("demo"));
}

// Run up to one node; what it needs and has not changed is taken from the cache. What ComfyUI refuses is an error.
export async function runTo(name) {
  await app.queuePrompt(0, 1, [String(find(name).id)]);
  const [refused] = Object.values(app.lastNodeErrors ?? {}).flatMap((node) => node.errors ?? []);
  if (refused) throw new Error((refused.details || refused.message).replace(/^\w+ - /, ""));
}

export function showOnCanvas(name) {
  const node = find(name);
  if (!node) return;
  app.canvas.selectNode?.(node, false);
  app.canvas.centerOnNode?.(node);
  app.graph.setDirtyCanvas(true, true);
}
