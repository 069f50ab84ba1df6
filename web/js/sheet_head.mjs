// The head of the contact sheet: how many are kept now, the score of the set, and what to do next.
import { createMark, part, setMark } from "./sheet_marks.mjs";
import { words } from "./sheet_words.mjs";

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
    const button = part(row, "button", "lorasmith-button", words("get", { mb: (bytes / 1e6).toFixed(1) }));
    const said = part(row, "span", "", words("licence", { name, licence }));
    button.setAttribute("aria-label", words("get_for", { name }));
    button.type = "button";
    button.addEventListener("click", async () => {
      button.disabled = true;
      said.textContent = words("fetching");
      const problem = await onFetch(id);
      said.textContent = problem || words("fetched");
      button.disabled = !problem;
    });
  }

  function showStats(stats) {
    if (!stats.length) return;
    part(content, "h3", "", words("the_set"));
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
      part(row, "span", "lorasmith-stat-count", scale === 1 ? words("one_of", { n: count, of }) : `${count}`);
    }
    const unknown = stats.filter(({ state }) => state === "not measured").map(({ title: name }) => name);
    if (unknown.length) part(content, "p", "lorasmith-head-unjudged", words("unmeasured", { names: unknown.join(", ") }));
  }

  function showDetails(state) {
    const { next_steps: steps, warnings, not_judged: unjudged, stats } = state.data;
    const waiting = state.waiting;
    content.replaceChildren();
    list("lorasmith-head-steps", words("next"), steps);
    list("", words("worth"), warnings.map((warning) => warning.text));
    list("lorasmith-head-unjudged", words("not_judged"), unjudgedLines(unjudged));
    for (const models of state.data.models ?? []) addFetch(models);
    showStats(stats);
    if (waiting.length) {
      const names = waiting.slice(0, 5).map((decision) => decision.name).join(", ");
      const rest = waiting.length > 5 ? ` ${words("and_more", { n: waiting.length - 5 })}` : "";
      list("", words("waiting_title"), [words("waiting_text", { names: names + rest })]);
      const forget = part(content, "button", "lorasmith-button", words("forget"));
      forget.type = "button";
      forget.addEventListener("click", onForget);
    }
    const parts = [];
    if (steps.length) parts.push(steps[0]);
    else if (warnings.length) parts.push(warnings[0].text);
    if (unjudged.length) parts.push(words("not_made", { count: unjudged.length }));
    if (waiting.length) parts.push(words("wait", { count: waiting.length }));
    more.hidden = !content.children.length;
    summary.textContent = parts.join(" · ") || words("about");
  }

  return {
    show(state, news = "") {
      if (working) return;
      const { kept, all, yours } = state.counts();
      delete element.dataset.empty;
      setMark(mark, kept === 0 ? "reject" : (TONES[tone] ?? "keep"));
      title.textContent = words("kept_of", { kept, count: all });
      const own = yours ? words("are_yours", { count: yours }) : "";
      note.textContent = [own, news, state.newer ? words("run_to_apply") : ""].filter(Boolean).join(" · ");
      note.classList.toggle("lorasmith-head-newer", state.newer);
      const { score: points, score_max: most } = state.data;
      score.hidden = !most;
      score.textContent = most ? `${points}` : "";
      score.title = most ? words("points", { points, most }) : "";
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
      title.textContent = words("working");
      note.textContent = text ?? note.textContent;
      note.classList.remove("lorasmith-head-newer");
    },
    // True when a run was going on.
    showStopped() {
      if (!working) return false;
      working = false;
      delete element.dataset.working;
      setMark(mark, "warn");
      title.textContent = words("stopped");
      return true;
    },
    showEmpty(text, waiting = 0) {
      if (working) return;
      setMark(mark, "broken");
      element.dataset.empty = "";
      title.textContent = words("no_photos");
      note.textContent = waiting ? `${text} ${words("will_apply", { count: waiting })}` : text;
      more.hidden = true;
      score.hidden = true;
    },
  };
}
