// Finding this pack's nodes in the graph that is open.
import { app } from "../../../scripts/app.js";
import { PREFIX } from "./report_view.mjs";


// Node ids inside subgraphs read "12:5": the node 5 in the subgraph of node 12. Null when it is none of ours.
export function findNode(id) {
  let graph = app.isGraphReady ? app.graph : null; // results can come before the graph does
  let node = null;
  for (const part of String(id).split(":")) {
    node = graph?.getNodeById(Number(part)) ?? graph?.getNodeById(part);
    graph = node?.subgraph;
  }
  return node?.comfyClass?.startsWith(PREFIX) ? node : null;
}

// The id that the server hears as the workflow's.
export const workflowId = () => (app.isGraphReady ? String(app.graph.rootGraph?.id ?? app.graph.id) : "");
