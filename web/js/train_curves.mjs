// The two charts of a training: its loss, and what its samples show.
import { createChart } from "./train_chart.mjs";
import { wasMeasured } from "./train_store.mjs";
import { lossText, rateText, shareText, words } from "./train_words.mjs";

const SHORTEST_AXIS = 20; // steps
const ROOM = 0.06; // above and below a curve, as a share of its height

// Nearly all of the raw losses and the whole of the smoothed one; a single spike leaves through the top.
function lossRange(loss) {
  const raw = loss.map((point) => point.raw).sort((a, b) => a - b);
  const at = (share) => raw[Math.round(share * (raw.length - 1))];
  let low = at(0.02);
  let high = at(0.98);
  for (const { smooth } of loss) {
    low = Math.min(low, smooth);
    high = Math.max(high, smooth);
  }
  const room = (high - low || Math.abs(high) || 1) * ROOM;
  return [Math.max(0, low - room), high + room];
}

// The learning rate has no scale of its own: nothing at the bottom, its highest value at the top.
function ratePoints(loss, low, high) {
  const known = loss.filter(({ rate }) => Number.isFinite(rate));
  const most = Math.max(...known.map(({ rate }) => rate), 1e-12);
  return known.map(({ step, rate }) => [step, low + (0.96 * (high - low) * rate) / most]);
}

function marksOf({ best, samples, saved }) {
  const marks = [...samples.keys()].map((step) => ({ step, kind: "sample", text: "", title: words("samples_at", { step }) }));
  if (saved) marks.push({ step: saved, kind: "saved", text: "", title: words("saved_at", { step: saved }) });
  if (best) marks.push({ step: best.step, kind: "best", text: "★", title: words("best_at", { step: best.step, why: best.why ?? "" }) });
  return marks;
}

// The end of the axis: the planned one, halved while the run has not come half as far, so that a curve is seen early.
function lastStep({ head, loss }) {
  const now = Math.max(loss.at(-1)?.step ?? 0, head.step, SHORTEST_AXIS);
  let last = Math.max(head.total || 0, now);
  while (head.state === "training" && last / 2 >= now * 1.1) last /= 2;
  return Math.ceil(last);
}

export function createLossChart() {
  let training = null;
  const chart = createChart({
    title: words("loss"),
    keys: ["raw", "smooth", "rate"].map((name) => ({ name, label: words(`curve_${name}`) })),
    format: lossText,
    read(step) {
      const { raw, smooth, rate } = training.loss.find((point) => point.step === step);
      return words("at_step", { step, text: `${lossText(raw)}, ${lossText(smooth)}, ${rateText(rate)}` });
    },
  });
  return {
    element: chart.element,
    draw(next) {
      training = next;
      const { loss } = training;
      chart.element.hidden = !loss.length;
      if (!loss.length) return;
      const [low, high] = lossRange(loss);
      const { step, smooth } = loss.at(-1);
      chart.draw({
        last: lastStep(training), low, high,
        steps: loss.map((point) => point.step),
        curves: [
          { name: "rate", points: ratePoints(loss, low, high) },
          { name: "raw", points: loss.map((point) => [point.step, point.raw]) },
          { name: "smooth", points: loss.map((point) => [point.step, point.smooth]) },
        ],
        marks: marksOf(training),
        now: "",
        label: words("loss_told", { now: lossText(smooth), step, first: lossText(loss[0].smooth) }),
      });
    },
  };
}

const SIGNALS = ["likeness", "variety"];

export function createSignalChart() {
  let training = null;
  const told = (line) => SIGNALS.map((name) => `${words(`signal_${name}`)} ${shareText(line[name])}`).join(", ");
  const chart = createChart({
    title: words("samples"),
    keys: SIGNALS.map((name) => ({ name, label: words(`signal_${name}`) })),
    format: (value) => value.toFixed(1),
    read: (step) => words("at_step", { step, text: told(training.signals.find((line) => line.step === step)) }),
  });

  function pointsOf(name) {
    return training.signals.filter((line) => Number.isFinite(line[name])).map((line) => [line.step, line[name]]);
  }

  function bandOf(name) {
    const known = training.signals.filter((line) => Number.isFinite(line[`${name}_low`]) && Number.isFinite(line[`${name}_high`]));
    return { name, points: known.map((line) => [line.step, line[`${name}_low`], line[`${name}_high`]]) };
  }

  return {
    element: chart.element,
    draw(next) {
      training = next;
      const curves = SIGNALS.map((name) => ({ name, points: pointsOf(name) }));
      chart.element.hidden = !SIGNALS.some((name) => wasMeasured(training, name));
      if (chart.element.hidden) return;
      const tops = curves.flatMap(({ points }) => points.map(([, value]) => value));
      const line = training.signals.at(-1);
      chart.draw({
        last: lastStep(training), low: 0, high: Math.max(1, ...tops), curves,
        bands: SIGNALS.map(bandOf),
        steps: training.signals.map(({ step }) => step),
        marks: marksOf(training),
        now: told(line),
        label: words("signals_told", { step: line.step, text: told(line) }),
      });
    },
  };
}
