// What the page knows of each training. Fed with the server's news and, after a reload, with its history.
// No network and no elements here.

const HALF_LIFE_STEPS = 50; // of the smoothed loss, where the training has not smoothed it itself
const MOST_POINTS = 4000; // kept of a loss curve; more cannot be told apart

export function createTraining(head) {
  return {
    head,
    count: 0, // lines heard
    loss: [], // {step, raw, smooth, rate}
    latest: {}, // newest value of each metric
    signals: [], // {step, likeness, variety, ...}; null is "not measured"
    best: null, // {step, why}
    alarms: [], // {step, code, text}, each code once
    samples: new Map(), // step -> [{file, prompt}]
    saved: 0, // step of the last "save now"
    mean: { total: 0, weight: 0 },
  };
}

function smoothed(training, step, value) {
  const { mean } = training;
  const before = training.loss.at(-1)?.step ?? 0;
  const keep = 0.5 ** (Math.max(step - before, 1) / HALF_LIFE_STEPS);
  mean.total = keep * mean.total + (1 - keep) * value;
  mean.weight = keep * mean.weight + (1 - keep);
  return mean.total / mean.weight;
}

const ADD = {
  metric(training, line) {
    const { event, step, ...values } = line;
    Object.assign(training.latest, values);
    if (!Number.isFinite(line.loss)) return;
    const smooth = line.loss_smooth ?? smoothed(training, step, line.loss);
    training.loss.push({ step, raw: line.loss, smooth, rate: line.learning_rate });
    if (training.loss.length > MOST_POINTS) training.loss = training.loss.filter((_, index) => index % 2);
  },
  signal: (training, line) => training.signals.push(line),
  best: (training, line) => (training.best = line),
  alarm(training, line) {
    training.alarms = [...training.alarms.filter(({ code }) => code !== line.code), line];
  },
  sample(training, { step, paths, prompts }) {
    const shots = paths.map((path, row) => ({ file: path.split("/").at(-1), prompt: prompts?.[row] ?? "" }));
    training.samples.set(step, shots);
  },
  saved: (training, { step }) => (training.saved = step),
};

function addLines(training, lines) {
  for (const line of lines) ADD[line.event]?.(training, line);
}

// What a page needs that has heard nothing yet.
export function fromHistory({ lines, count, ...head }) {
  const training = createTraining(head);
  addLines(training, lines);
  training.count = count;
  return training;
}

// False when something was missed in between: then only the history helps.
export function addNews(training, { lines, from, ...head }) {
  training.head = head;
  if (from > training.count) return false;
  const fresh = lines.slice(training.count - from);
  addLines(training, fresh);
  training.count += fresh.length;
  return true;
}

export const isRunning = ({ head }) => head.state === "preparing" || head.state === "training";

export const wasMeasured = ({ signals }, name) => signals.some((line) => Number.isFinite(line[name]));

// At most about `most` points [x, y]; the lowest and the highest of each stretch stay, so that no spike is lost.
export function decimated(points, most) {
  if (points.length <= most) return points;
  const size = Math.ceil((2 * points.length) / most);
  const kept = [];
  for (let start = 0; start < points.length; start += size) {
    let low = points[start];
    let high = low;
    for (const point of points.slice(start, start + size)) {
      if (point[1] < low[1]) low = point;
      if (point[1] > high[1]) high = point;
    }
    kept.push(...(low === high ? [low] : low[0] < high[0] ? [low, high] : [high, low]));
  }
  if (kept.at(-1) !== points.at(-1)) kept.push(points.at(-1));
  return kept;
}
