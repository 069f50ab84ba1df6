// What the LoRA Stack node asks ComfyUI's server; answers about files are remembered for the page.
import { api } from "../../../scripts/api.js";
import { post } from "./server.mjs";

const known = new Map(); // name -> what is known of the LoRA
const asked = new Map(); // name -> promise
let names = null;

export const ask = (action, body) => post(`stack/${action}`, body);

export async function list(fresh = false) {
  if (fresh || !names) names = ask("list");
  return names;
}

// LoRAs may have come or gone: everything is asked again when it is next needed.
export function forget() {
  names = null;
  known.clear();
  asked.clear();
}

export function infoOf(name) {
  return known.get(name);
}

let waiting = new Set();
let timer = null;
let batch = null;

// Many rows and pictures ask at once; one request answers them.
export function info(name) {
  if (known.has(name)) return Promise.resolve(known.get(name));
  if (asked.has(name)) return asked.get(name);
  waiting.add(name);
  batch ??= new Promise((resolve, reject) => {
    timer = setTimeout(() => {
      const wanted = [...waiting].slice(0, 400);
      waiting = new Set([...waiting].slice(400));
      batch = null;
      ask("info", { names: wanted }).then(resolve, reject);
    }, 15);
  });
  const answer = batch.then((found) => {
    asked.delete(name);
    if (found[name]) known.set(name, found[name]);
    return found[name] ?? info(name);
  });
  asked.set(name, answer);
  answer.catch(() => asked.delete(name));
  return answer;
}

export function pictureAddress(name, facts) {
  if (!facts?.picture) return "";
  return api.apiURL(`/lorasmith/stack/picture?name=${encodeURIComponent(name)}&v=${facts.picture}`);
}
