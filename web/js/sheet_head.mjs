// The head of the contact sheet: how many are kept now, the score of the set, and what to do next.
import { createMark, part, setMark } from "./sheet_marks.mjs";
import { counted } from "./sheet_words.mjs";

const TONES = { good: "keep", warn: "warn", bad: "reject", info: "broken" };
const STATES = { good: "keep", watch: "warn", bad: "reject" };

// Checks that were not made, those with the same way out together.
function unjudgedLines(unjudged) {
  const ways = new Map();
  for (const { title, text, why } of unjudged) {
    const way = why || text;
    ways.set(way, [...(ways.get(way) ?? []), title]);
  }
  return [...ways].map(([way, titles]) => `${titles.join(", ")}: ${way}`);
}

// {show(state), showReport, showStatus, showStopped, showEmpty}
export function createHead(parent, { onForget, onFetch }) {
  const document = parent.ownerDocument;
  const element = part(parent, "header", "lorasmith-head");
  const mark = createMark(document);
  const line = part(element, "div", "lorasmith-head-line");
  line.append(mark);
  const title = part(line, "strong", "lorasmith-head-title");
  const note = part(line, "span", "lorasmith-head-note");
  const score = part(line, "span", "lorasmith-head-score");
  const more = part(element, "details", "lorasmith-head-details");
  const summary = part(more, "summary", "lorasmith-head-summary");
  const content = part(more, "div", "lorasmith-head-more");
  let tone = "info";
  let working = false;

  function list(className, heading, items) {
    if (!items.length) return;
    part(content, "h3", "", heading);
    const entries = part(content, "ul", className);
    for (const item of items) part(entries, "li", "", item);
  }

  // One click, by the user's will, fetches model files; a workflow that runs never does.
  function addFetch({ id, title: name, bytes, licence }) {
    const row = part(content, "p", "lorasmith-head-fetch");
    const button = part(row, "button", "lorasmith-button", `Get ${(bytes / 1e6).toFixed(1)} MB`);
    const said = part(row, "span", "", `${name}. Licence: ${licence}`);
    button.setAttribute("aria-label", `Get the models for: ${name}`);
    button.type = "button";
    button.addEventListener("click", async () => {
      button.disabled = true;
      said.textContent = "Fetching …";
      const problem = await onFetch(id);
      said.textContent = problem || "There now. Run again to have these checks made.";
      button.disabled = !problem;
    });
  }

  function showStats(stats) {
    if (!stats.length) return;
    part(content, "h3", "", "The set");
    const table = part(content, "div", "lorasmith-stats");
    for (const { title: name, count, of, state, text, wanted_low: low, wanted_high: high } of stats) {
      if (state === "not measured") continue;
      const row = part(table, "div", "lorasmith-stat");
      row.title = text;
      const sign = createMark(document);
      setMark(sign, STATES[state] ?? "broken");
      row.append(sign);
      part(row, "span", "lorasmith-stat-title", name);
      const bar = part(row, "span", "lorasmith-stat-bar");
      const scale = low > 1 || high > 1 ? Math.max(count, high ?? low, 1) : 1; // photos, else shares
      const wanted = part(bar, "span", "lorasmith-stat-wanted");
      wanted.style.left = `${((low ?? 0) / scale) * 100}%`;
      wanted.style.right = `${(1 - Math.min(1, (high ?? scale) / scale)) * 100}%`;
      const share = scale === 1 ? (of ? count / of : 0) : count / scale;
      const fill = part(bar, "span", `lorasmith-stat-fill lorasmith-stat-${STATES[state] ?? "broken"}`);
      fill.style.width = `${Math.min(1, share) * 100}%`;
      part(row, "span", "lorasmith-stat-count", scale === 1 ? `${count} of ${of}` : `${count}`);
    }
    const unknown = stats.filter(({ state }) => state === "not measured").map(({ title: name }) => name);
    if (unknown.length) part(content, "p", "lorasmith-head-unjudged", `Not measured: ${unknown.join(", ")}.`);
  }

  function showDetails(state) {
    const { next_steps: steps, warnings, not_judged: unjudged, stats } = state.data;
    const waiting = state.waiting;
    content.replaceChildren();
    list("lorasmith-head-steps", "What to do next", steps);
    list("", "Worth knowing", warnings.map((warning) => warning.text));
    list("lorasmith-head-unjudged", "Not judged", unjudgedLines(unjudged));
    for (const models of state.data.models ?? []) addFetch(models);
    showStats(stats);
    if (waiting.length) {
      const names = waiting.slice(0, 5).map((decision) => decision.name).join(", ");
      const rest = waiting.length > 5 ? ` and ${waiting.length - 5} more` : "";
      const item = `${names}${rest}: not in this folder now. Their decisions wait until the photos are back.`;
      list("", "Decisions without a photo", [item]);
      const forget = part(content, "button", "lorasmith-button", "Forget them");
      forget.type = "button";
      forget.addEventListener("click", onForget);
    }
    const parts = [];
    if (steps.length) parts.push(steps[0]);
    else if (warnings.length) parts.push(warnings[0].text);
    if (unjudged.length) parts.push(`${counted(unjudged.length, "check", "checks")} not made`);
    if (waiting.length) parts.push(`${counted(waiting.length, "decision waits", "decisions wait")} for a photo`);
    more.hidden = !content.children.length;
    summary.textContent = parts.join(" · ") || "About this set";
  }

  return {
    show(state, news = "") {
      if (working) return;
      const { kept, all, yours } = state.counts();
      delete element.dataset.empty;
      setMark(mark, kept === 0 ? "reject" : (TONES[tone] ?? "keep"));
      title.textContent = `${kept} of ${counted(all, "photo", "photos")} kept`;
      const own = yours ? `${counted(yours, "decision is", "decisions are")} yours` : "";
      note.textContent = [own, news, state.newer ? "run to apply" : ""].filter(Boolean).join(" · ");
      note.classList.toggle("lorasmith-head-newer", state.newer);
      const { score: points, score_max: most } = state.data;
      score.hidden = !most;
      score.textContent = most ? `${points}` : "";
      score.title = most ? `${points} of the ${most} points that could be judged` : "";
      if (most) part(score, "small", "", ` / ${most}`);
      showDetails(state);
    },
    showReport(report) {
      working = false;
      delete element.dataset.working;
      tone = report.tone;
      title.textContent = report.title;
    },
    showStatus({ text }) {
      working = true;
      element.dataset.working = "";
      setMark(mark, "broken");
      title.textContent = "Working";
      note.textContent = text ?? note.textContent;
      note.classList.remove("lorasmith-head-newer");
    },
    // True when a run was going on.
    showStopped() {
      if (!working) return false;
      working = false;
      delete element.dataset.working;
      setMark(mark, "warn");
      title.textContent = "Stopped";
      return true;
    },
    showEmpty(text, waiting = 0) {
      if (working) return;
      setMark(mark, "broken");
      element.dataset.empty = "";
      title.textContent = "No photos yet";
      note.textContent = waiting ? `${text} ${counted(waiting, "decision", "decisions")} of yours will be applied.` : text;
      more.hidden = true;
      score.hidden = true;
    },
  };
}
