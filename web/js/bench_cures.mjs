// Cures: which node and widget of the graph a cure changes, the change itself, and what to say about it.
import { app } from "../../../scripts/app.js";
import { words } from "./bench_words.mjs";

const WIDGETS = { steps: "steps", learning_rate: "learning_rate", rank: "rank" };
const PLANS = ["Lorasmith_TrainingSettings", "Lorasmith_PlanTraining"];
const stem = (name) => name.replace(/^.*[\\/]/, "").replace(/\.safetensors$/, "");
const number = (value) => String(Number(Number(value).toPrecision(4)));

// Every node that feeds `node`, the nearest first.
export function upstream(node) {
  const found = [];
  const queue = [node];
  for (let at = queue.shift(); at; at = queue.shift()) {
    for (let slot = 0; slot < (at.inputs?.length ?? 0); slot++) {
      const source = at.getInputNode?.(slot);
      if (!source || found.includes(source)) continue;
      found.push(source);
      queue.push(source);
    }
  }
  return found;
}

const widgetOf = (node, name) => node.widgets?.find((widget) => widget.name === name);

// Those that feed the diagnosis; only where none does, the only one of its type in the graph.
function find(node, types) {
  const feeds = upstream(node).find((one) => types.includes(one.comfyClass));
  if (feeds) return feeds;
  const all = node.graph.nodes.filter((one) => types.includes(one.comfyClass));
  return all.length === 1 ? all[0] : null;
}

// {node, widget, value, now(), text} of what a cure would change; null where nothing in this graph can be changed.
export function planOf(cure, said, node) {
  if (cure.op in WIDGETS) return planWidget(cure, node);
  if (cure.op === "drop_photos") return dropPhotos(cure, said, node);
  if (cure.op === "strength") return setStrength(cure, said, node);
  return null;
}

function planWidget(cure, node) {
  const name = WIDGETS[cure.op];
  const target = find(node, PLANS.filter((type) => node.graph.nodes.some((one) => one.comfyClass === type && widgetOf(one, name))));
  const widget = target && widgetOf(target, name);
  if (!widget) return null;
  const before = Number(widget.value) ? number(widget.value) : words("by_itself");
  return {
    node: target, widget, value: cure.value, done: () => Number(widget.value) === Number(cure.value),
    text: words("changes", { node: target.title, what: words(`widget_${name}`), before, after: number(cure.value) }),
  };
}

function dropPhotos(cure, said, node) {
  const target = find(node, ["Lorasmith_AuditDataset"]);
  const widget = target && widgetOf(target, "overrides");
  const known = cure.value.filter((name) => said.photos[name]);
  if (!widget || !known.length) return null;
  const decisions = read(widget.value);
  const isOut = (name) => decisions.some((one) => one.name === name && one.id === said.photos[name].id && one.verdict === "reject");
  const rest = decisions.filter((one) => !known.some((name) => said.photos[name].id === one.id && name === one.name));
  const crops = new Map(decisions.filter((one) => one.crop).map((one) => [`${one.id}|${one.name}`, one.crop]));
  const out = known.map((name) => {
    const { id } = said.photos[name];
    const crop = crops.get(`${id}|${name}`);
    return { name, id, verdict: "reject", ...(crop ? { crop } : {}) };
  });
  return {
    node: target, widget,
    value: JSON.stringify({ kind: "lorasmith.overrides", version: 1, photos: [...rest, ...out] }),
    done: () => known.every(isOut),
    text: words("drops", { node: target.title, count: known.length }),
  };
}

function read(text) {
  try {
    const photos = JSON.parse(text || "{}").photos;
    return Array.isArray(photos) ? photos : [];
  } catch {
    return [];
  }
}

function setStrength(cure, said, node) {
  const stacks = upstream(node).filter((one) => one.comfyClass === "Lorasmith_LoraStack");
  const all = stacks.length ? stacks : node.graph.nodes.filter((one) => one.comfyClass === "Lorasmith_LoraStack");
  for (const target of all) {
    const widget = widgetOf(target, "rows");
    const rows = rowsOf(widget?.value);
    const row = rows?.rows.find((one) => one.on !== false && one.lora === said.lora);
    if (!row) continue;
    const before = row.model;
    const changed = rows.rows.map((one) => (one === row ? { ...one, model: cure.value, text: null } : one));
    return {
      node: target, widget, value: JSON.stringify({ ...rows, rows: changed }), done: () => before === cure.value,
      text: words("changes", { node: target.title, what: stem(said.lora), before: number(before), after: number(cure.value) }),
    };
  }
  const apply = find(node, ["Lorasmith_TestLora", "Lorasmith_ApplyLoraStack"]);
  const widget = apply && widgetOf(apply, "strength");
  if (!widget) return null;
  return {
    node: apply, widget, value: cure.value, done: () => widget.value === cure.value,
    text: words("changes", { node: apply.title, what: words("widget_strength"), before: number(widget.value), after: number(cure.value) }),
  };
}

function rowsOf(text) {
  try {
    const said = JSON.parse(text || "{}");
    return Array.isArray(said.rows) ? said : null;
  } catch {
    return null;
  }
}

// One step of ComfyUI's own undo.
export function apply(plan) {
  app.canvas?.emitBeforeChange?.();
  plan.widget.value = plan.value;
  plan.widget.callback?.(plan.value, app.canvas, plan.node);
  app.canvas?.emitAfterChange?.();
  plan.node.setDirtyCanvas(true, true);
  app.extensionManager.workflow?.activeWorkflow?.changeTracker?.captureCanvasState?.();
}

export const undo = () => app.extensionManager.command.execute("Comfy.Undo");

export function showNode(node) {
  app.canvas.selectNode?.(node, false);
  app.canvas.centerOnNode(node);
}
