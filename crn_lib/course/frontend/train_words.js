// What is said of a training run, in words.

/** @typedef {import("./training_run.js").Settings} Settings */

/**
 * @typedef {object} Run
 * @property {number} number
 * @property {Settings} settings
 * @property {import("./training_run.js").Point[]} points
 * @property {number} seconds
 * @property {"training" | "learnt" | "not learnt" | "diverged" | "stopped" | "broken"} state
 * @property {string} [sample]
 * @property {string} [written]
 */

/** @type {Record<string, Record<string, string>>} what each value is called */
export const NAMES = {
  norm: { exact: "exact", approx: "approx", none: "none" },
  activation: { exp: "exp", squared_relu: "squared ReLU", relu: "ReLU", identity: "none (linear)" },
};

/** @type {(keyof Settings)[]} */
const ORDER = ["norm", "activation", "rate", "letters", "seed"];
const GUESSED = "1 in 26 is what guessing gives";

/** @param {Run} run */
function last({ points }) {
  return points[points.length - 1];
}

/** @param {Run} run */
function lettersRight(run) {
  return `${Math.round(100 * last(run).right)}% of the letters of new strings`;
}

/** A run in one line: what it was set to, and what became of it. @param {Run} run */
export function summary(run) {
  const { norm, activation, rate, letters, seed } = run.settings;
  const named = `norm ${NAMES.norm[norm]}, activation ${NAMES.activation[activation]}`;
  const outcome = last(run)
    ? `${run.state}, ${Math.round(100 * last(run).right)}% after ${last(run).step} steps`
    : run.state;
  return `${run.number}: ${named}, rate ${rate}, ${letters} letters, seed ${seed} – ${outcome}`;
}

/** @param {Run} run */
export function running(run) {
  const point = last(run);
  if (!point) return `Run ${run.number} begins.`;
  const pace = Math.round(point.step / run.seconds);
  return `Run ${run.number}, step ${point.step}: loss ${point.loss.toFixed(2)}, ${lettersRight(run)} right, ${pace} steps a second.`;
}

/** @param {Run} run that has ended */
export function verdict(run) {
  const point = last(run);
  const name = `Run ${run.number}`;
  if (!point) return `${name} was stopped before its first steps.`;
  const after = `after ${point.step} steps, ${run.seconds.toFixed(1)} s`;
  switch (run.state) {
    case "learnt":
      return `${name} has learnt to copy: ${lettersRight(run)} right ${after}.`;
    case "diverged":
      return `${name} failed: the loss was no number any more by step ${point.step}.`;
    case "stopped":
      return `${name} was stopped ${after}, with ${lettersRight(run)} right.`;
    default:
      return `${name} has not learnt to copy: ${lettersRight(run)} right ${after} (${GUESSED}).`;
  }
}

/**
 * How two runs differ, where they do in one thing: only then does the outcome say anything about it.
 * @param {Run} run
 * @param {Run} before
 */
export function differences(run, before) {
  const other = ORDER.filter((name) => run.settings[name] !== before.settings[name]);
  if (!other.length) return `The settings are those of run ${before.number}.`;
  if (other.length > 1) return `${other.length} things differ from run ${before.number}: change one at a time.`;
  const [name] = other;
  /** @param {Run} own */
  const value = (own) => NAMES[name]?.[own.settings[name]] ?? own.settings[name];
  let result = "was stopped before its first steps";
  if (last(before)) {
    result = before.state === "learnt" ? `had learnt after ${last(before).step} steps` : `came to ${lettersRight(before)}`;
  }
  return `One thing differs from run ${before.number}, which ${result}: ${name} ${value(run)} in place of ${value(before)}.`;
}
