// Which checkpoint a stack is used on: down to the node that applies it, up along its model.
const MAX_STEPS = 30;

function linkOf(graph, id) {
  return graph?.getLink?.(id) ?? graph?.links?.get?.(id) ?? graph?.links?.[id];
}

function usersOf(node) {
  const links = (node.outputs?.[0]?.links ?? []).map((id) => linkOf(node.graph, id));
  return links.map((link) => node.graph.getNodeById(link?.target_id)).filter(Boolean);
}

function modelSlot(node) {
  return node.inputs?.findIndex((input) => input.type === "MODEL") ?? -1;
}

function checkpointOf(node) {
  const widget = node.widgets?.find(({ name }) => ["ckpt_name", "checkpoint"].includes(name));
  return typeof widget?.value === "string" ? widget.value : "";
}

// The checkpoint's name in ComfyUI's list; empty where the graph does not tell.
export function baseOf(stack) {
  let waiting = usersOf(stack);
  for (let step = 0; step < MAX_STEPS && waiting.length; step++) {
    const applier = waiting.find((node) => modelSlot(node) >= 0);
    if (!applier) {
      waiting = waiting.flatMap(usersOf);
      continue;
    }
    for (let node = applier, up = 0; node && up < MAX_STEPS; up++) {
      const found = node === applier ? "" : checkpointOf(node);
      if (found) return found;
      const slot = modelSlot(node);
      node = slot >= 0 ? node.getInputNode(slot) : null;
    }
    return "";
  }
  return "";
}
