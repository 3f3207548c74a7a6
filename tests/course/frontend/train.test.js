// Training in JavaScript against torch: the loss and every gradient of a batch, and a dozen of the library's steps.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AdamW } from "../../../crn_lib/course/frontend/adamw.js";
import { Copies, drawText, seeded } from "../../../crn_lib/course/frontend/random_copies.js";
import { differences, running, summary, verdict } from "../../../crn_lib/course/frontend/train_words.js";
import { TrainableRN } from "../../../crn_lib/course/frontend/trainable.js";
import { TrainingRun } from "../../../crn_lib/course/frontend/training_run.js";
import { assertClose } from "./close.js";

const { gradients, steps } = JSON.parse(readFileSync(join(process.env.NUMBERS ?? "", "training.json"), "utf8"));

/**
 * @param {import("../../../crn_lib/course/frontend/trainable.js").Shape} shape
 * @param {number} batch
 * @param {Record<string, number[]>} weights
 */
function modelOf(shape, batch, weights) {
  const model = new TrainableRN(shape, batch);
  assert.deepEqual([...model.weights.named.keys()].sort(), Object.keys(weights).sort());
  for (const [name, values] of Object.entries(weights)) model.weights.get(name).set(values);
  return model;
}

test("the loss and the gradient of every parameter are torch's, for each norm, activation and length", () => {
  assert.equal(gradients.length, 36);
  for (const { shape, tokens, targets, weights, loss, gradients: wanted } of gradients) {
    const model = modelOf(shape, tokens.length, weights);
    const where = JSON.stringify(shape);
    for (const again of ["first", "second"]) {
      const found = model.learnFrom(Int32Array.from(tokens.flat()), Int32Array.from(targets.flat()));
      assertClose([found], [loss], `${where}, loss, ${again} time`, 1e-10);
      for (const [name, values] of Object.entries(wanted)) {
        assertClose(model.gradient.get(name), values, `${where}, ${name}, ${again} time`, 1e-9);
      }
    }
  }
});

test("a dozen steps leave the weights that the library's training leaves", () => {
  const { rate, warmup, batches, before, after } = steps;
  const [rows, length] = [batches[0][0].length, batches[0][0][0].length];
  const shape = /** @type {const} */ ({ norm: "exact", activation: "exp", length, width: 12, blocks: 2, vocab: 29 });
  const model = modelOf(shape, rows, before);
  const optimizer = new AdamW(model.weights.all.length, rate, warmup);
  for (const [tokens, targets] of batches) {
    model.learnFrom(Int32Array.from(tokens.flat()), Int32Array.from(targets.flat()));
    optimizer.step(model.weights.all, model.gradient.all);
  }
  for (const [name, values] of Object.entries(after)) assertClose(model.weights.get(name), values, name);
});

test("strings come from the seed, each in both its places, and are scored from the sign to copy on", () => {
  const [one, same, other] = [0, 0, 1].map((seed) => {
    const copies = new Copies(50, 4);
    copies.draw(seeded(seed));
    return copies;
  });
  assert.deepEqual(one.tokens, same.tokens);
  assert.notDeepEqual(one.tokens, other.tokens);
  for (let from = 0; from < one.tokens.length; from += 10) {
    const [tokens, targets] = [[...one.tokens.slice(from, from + 10)], [...one.targets.slice(from, from + 10)]];
    const letters = tokens.slice(1, 5);
    assert.deepEqual(tokens, [0, ...letters, 1, ...letters]);
    assert.deepEqual(targets, [-100, -100, -100, -100, -100, ...letters, 2]);
  }
  const random = seeded(7);
  const text = drawText(26_000, random);
  for (const letter of "abcdefghijklmnopqrstuvwxyz") {
    const times = text.split(letter).length - 1;
    assert.ok(Math.abs(times - 1000) < 150, `${letter}: ${times} times`); // five standard deviations
  }
});

/** @type {import("../../../crn_lib/course/frontend/training_run.js").Settings} */
const SETTINGS = { norm: "exact", activation: "exp", rate: 0.03, letters: 4, seed: 0 };

test("a run scores strings before it learns from them, ends where it should, and writes the sample at all times", () => {
  const run = new TrainingRun(SETTINGS, 20);
  const points = [run.advance(), run.advance()];
  assert.deepEqual(
    points.map(({ step }) => step),
    [10, 20],
  );
  assert.ok(Math.abs(points[0].loss - Math.log(29)) < 0.2, "at first it guesses among the 29 tokens");
  assert.ok(points[1].loss < points[0].loss && points[0].right < 0.1);
  assert.equal(run.state, "not learnt");
  assert.match(run.write(), /^.{5}$/);
  assert.deepEqual(new TrainingRun(SETTINGS, 20).advance(), points[0], "a seed gives one run");
  const wild = new TrainingRun({ ...SETTINGS, norm: "none", rate: 1e4 }, 40);
  while (wild.state === "training") wild.advance();
  assert.equal(wild.state, "diverged");
  const taught = new TrainingRun(SETTINGS, 40);
  taught.model.learnFrom = (_, targets) => {
    taught.model.best.set(targets);
    return 0;
  };
  taught.advance();
  assert.equal(taught.state, "learnt");
});

test("what is said of a run names its outcome, and what changed where it was one thing", () => {
  const point = { step: 170, loss: 0.0449, right: 0.996 };
  /** @type {import("../../../crn_lib/course/frontend/train_words.js").Run} */
  const run = { number: 1, settings: SETTINGS, points: [point], seconds: 2, state: "learnt" };
  const other = { ...run, number: 2, settings: { ...SETTINGS, norm: /** @type {const} */ ("none") } };
  assert.equal(
    running(run),
    "Run 1, step 170: loss 0.04, 100% of the letters of new strings right, 85 steps a second.",
  );
  assert.match(verdict(run), /^Run 1 has learnt to copy: 100% .* after 170 steps, 2.0 s.$/);
  assert.match(verdict({ ...run, state: "not learnt" }), /^Run 1 has not learnt to copy: .*1 in 26/);
  assert.match(verdict({ ...run, state: "diverged" }), /^Run 1 failed: the loss was no number any more by step 170/);
  assert.match(verdict({ ...run, state: "stopped" }), /^Run 1 was stopped after 170 steps/);
  assert.match(verdict({ ...run, points: [], state: "stopped" }), /before its first steps/);
  assert.match(summary(run), /^1: norm exact, activation exp, rate 0.03, 4 letters, seed 0 – learnt, 100% after 170/);
  const said = "One thing differs from run 1, which had learnt after 170 steps: norm none in place of exact.";
  assert.equal(differences(other, run), said);
  assert.match(differences({ ...other, settings: { ...other.settings, seed: 1 } }, run), /^2 things differ/);
  assert.match(differences(run, run), /^The settings are those of run 1/);
  const cut = { ...run, points: [], state: /** @type {const} */ ("stopped") };
  assert.match(differences(other, cut), /^One thing differs from run 1, which was stopped before its first steps: /);
});
