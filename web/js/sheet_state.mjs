// What the contact sheet knows: the judged photos, the user's decisions, undo. No DOM in here.

const KIND = "lorasmith.overrides";
const VERSION = 1;
const MAX_UNDO = 500;

const keyOf = (photo) => `${photo.id}|${photo.name}`;

// The decisions in a workflow's text; null where it is not ours to read.
export function readDecisions(text) {
  if (!text?.trim()) return [];
  try {
    const data = JSON.parse(text);
    if (data.kind !== KIND || data.version > VERSION || !Array.isArray(data.photos)) return null;
    return data.photos.filter((d) => d.id && d.name && (d.verdict || d.crop));
  } catch {
    return null;
  }
}

function writeDecisions(decisions) {
  if (!decisions.length) return "";
  return JSON.stringify({ kind: KIND, version: VERSION, photos: decisions });
}

// All photos of a payload in one list: those that can be judged, then the unreadable ones.
function photosOf(data) {
  const broken = data.unreadable.map(({ name, text }) => ({
    name, unreadable: text, id: "", token: null, keep: false, reasons: [], scores: {}, boxes: [], crop: null,
    width: 1, height: 1,
  }));
  return [...data.photos, ...broken];
}

export class SheetState {
  constructor(onChange) {
    this.onChange = onChange; // called after every decision, with the new text
    this.data = null;
    this.photos = [];
    this.groups = [];
    this.text = "";
    this.decisions = new Map(); // key of a photo -> decision
    this.past = [];
    this.future = [];
  }

  // -- what the server says ---------------------------------------------------------------------

  setData(data) {
    this.data = data;
    this.photos = photosOf(data);
    const at = new Map(this.photos.map((photo, index) => [photo.name, index]));
    this.groups = data.groups
      .map((group) => ({
        ...group,
        members: group.members.map((name) => at.get(name)).filter((index) => index !== undefined),
        keeper: at.get(group.keeper) ?? null,
      }))
      .filter((group) => group.members.length > 1);
    this.groupOf = new Map();
    for (const group of this.groups) {
      for (const index of group.members) if (!this.groupOf.has(index)) this.groupOf.set(index, group);
    }
    this.#read();
  }

  // -- the user's decisions ---------------------------------------------------------------------

  // From the workflow: loaded, or undone by the editor itself.
  setText(text) {
    if (text === this.text) return;
    this.text = text ?? "";
    this.past = [];
    this.future = [];
    this.#read();
  }

  // A decision belongs to a photo's content; a renamed photo keeps it.
  #read() {
    const given = readDecisions(this.text) ?? [];
    this.decisions = new Map(given.map((decision) => [keyOf(decision), decision]));
    const known = new Set(this.photos.map(keyOf));
    for (const [key, decision] of [...this.decisions]) {
      if (known.has(key)) continue;
      const free = this.photos.filter((p) => p.id === decision.id && !this.decisions.has(keyOf(p)));
      if (free.length !== 1) continue;
      this.decisions.delete(key);
      this.decisions.set(keyOf(free[0]), { ...decision, name: free[0].name });
    }
  }

  decisionOf(index) {
    return this.decisions.get(keyOf(this.photos[index])) ?? null;
  }

  decide(indices, verdict) {
    return this.#change(indices, (decision) => ({ ...decision, verdict }));
  }

  setCrop(index, box) {
    const whole = box?.map(Math.round) ?? null;
    return this.#change([index], (decision) => ({ ...decision, crop: whole }));
  }

  // Decisions whose photos are not in the folder any more.
  get waiting() {
    const known = new Set(this.photos.map(keyOf));
    return [...this.decisions].filter(([key]) => !known.has(key)).map(([, decision]) => decision);
  }

  forgetWaiting() {
    const gone = new Set(this.waiting);
    const next = new Map([...this.decisions].filter(([, decision]) => !gone.has(decision)));
    return this.#commit(next);
  }

  #change(indices, edit) {
    const next = new Map(this.decisions);
    for (const index of indices) {
      const photo = this.photos[index];
      if (!photo || photo.unreadable) continue;
      const key = keyOf(photo);
      const { verdict, crop } = edit(next.get(key) ?? {});
      next.delete(key);
      if (verdict || crop) {
        const decision = { name: photo.name, id: photo.id };
        if (verdict) decision.verdict = verdict;
        if (crop) decision.crop = crop;
        next.set(key, decision);
      }
    }
    return this.#commit(next);
  }

  #commit(next) {
    const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
    const text = writeDecisions([...next.values()].sort(byName));
    if (text === this.text) return false;
    this.past.push(this.text);
    if (this.past.length > MAX_UNDO) this.past.shift();
    this.future = [];
    this.#show(text);
    return true;
  }

  #show(text) {
    this.text = text;
    this.#read();
    this.onChange(text);
  }

  undo() {
    if (!this.past.length) return false;
    this.future.push(this.text);
    this.#show(this.past.pop());
    return true;
  }

  redo() {
    if (!this.future.length) return false;
    this.past.push(this.text);
    this.#show(this.future.pop());
    return true;
  }

  // -- verdicts ---------------------------------------------------------------------------------

  // {kept, by: "you" | "audit", tone: "keep" | "warn" | "reject" | "broken", crop}
  stateOf(index) {
    const photo = this.photos[index];
    if (photo.unreadable) return { kept: false, by: "audit", tone: "broken", crop: null };
    const decision = this.decisionOf(index);
    const kept = decision?.verdict ? decision.verdict === "keep" : photo.keep;
    const noted = photo.reasons.some((reason) => reason.severity !== "reject");
    const tone = !kept ? "reject" : noted && !decision?.verdict ? "warn" : "keep";
    return { kept, by: decision?.verdict ? "you" : "audit", tone, crop: decision?.crop ?? null };
  }

  counts() {
    const counts = { all: this.photos.length, kept: 0, out: 0, yours: 0 };
    for (let index = 0; index < this.photos.length; index++) {
      const state = this.stateOf(index);
      counts[state.kept ? "kept" : "out"] += 1;
      if (state.by === "you" || state.crop) counts.yours += 1;
    }
    return counts;
  }

  // Reason codes with the number of photos that have them, most frequent first.
  reasons() {
    const counts = new Map();
    for (const photo of this.photos) {
      const codes = photo.unreadable ? ["unreadable"] : photo.reasons.map((reason) => reason.code);
      for (const code of new Set(codes)) counts.set(code, (counts.get(code) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }

  scoreNames() {
    const names = new Set();
    for (const photo of this.photos) for (const name of Object.keys(photo.scores)) names.add(name);
    return [...names];
  }

  // True when the verdicts shown are not those that the last run handed on.
  get newer() {
    return this.data !== null && this.data.applied !== this.text;
  }
}
