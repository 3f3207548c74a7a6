// Models of vectors and estimators of a line against the library's numbers, at every x.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { placeWithin } from "../../../crn_lib/course/frontend/drag_plane.js";
import { ESTIMATORS } from "../../../crn_lib/course/frontend/estimators.js";
import { InContext } from "../../../crn_lib/course/frontend/in_context.js";
import { SequenceModel } from "../../../crn_lib/course/frontend/model.js";
import { assertClose } from "./close.js";

const folder = process.env.NUMBERS ?? "";
const { xs, cases, three } = JSON.parse(readFileSync(join(folder, "fitted.json"), "utf8"));
/** @param {string} name */
const read = (name) => new SequenceModel(readFileSync(join(folder, `${name}.safetensors`)));

/** @param {[number, number][]} points */
const examples = (points) => points.map(([x, y]) => ({ x, y }));

test("estimators agree at every x, and give no number where the library gives none", () => {
  let none = 0;
  for (const { name, points, estimators } of cases) {
    assert.deepEqual(Object.keys(estimators), Object.keys(ESTIMATORS));
    for (const [estimator, wanted] of Object.entries(estimators)) {
      const estimate = ESTIMATORS[estimator](examples(points));
      const found = xs.map(estimate);
      const without = wanted.includes(null);
      none += Number(without);
      if (without) assert.ok(found.every(Number.isNaN) && wanted.every((/** @type {any} */ one) => one === null), name);
      else assertClose(found, wanted, `${estimator}, ${name}`, 1e-5);
    }
  }
  assert.equal(none, 2, "averaged projections where a point has x = 0");
});

for (const kind of ["causal_rn", "transformer"]) {
  test(`${kind}: predictions after points agree at every x, whatever was read before`, () => {
    const reader = new InContext(read(`line_${kind}`));
    for (const { name, points, models } of [...cases, ...cases.toReversed()]) {
      assertClose(xs.map(reader.fit(examples(points))), models[kind], `${kind}, ${name}`);
    }
  });
}

test("points before the first that has changed are not read again, and a look leaves nothing behind", () => {
  const model = read("line_causal_rn");
  const reader = new InContext(model);
  let steps = 0;
  const { step } = model;
  model.step = (...given) => {
    steps++;
    return step.apply(model, given);
  };
  const ten = Array.from({ length: 10 }, (_, k) => ({ x: k / 5 - 1, y: k / 4 }));
  for (const [number, wanted] of [
    [0, 20],
    [9, 2],
    [4, 12],
  ]) {
    steps = 0;
    const estimate = reader.fit(ten.map((point, place) => (place === number ? { ...point, x: 2 } : point)));
    if (number === 0) assert.equal(steps, wanted);
    reader.fit(ten);
    steps = 0;
    estimate(1);
    assert.equal(steps, 1);
    steps = 0;
    reader.fit(ten.map((point, place) => (place === number ? { ...point, x: 2 } : point)));
    assert.equal(steps, wanted, `point ${number}`);
    reader.fit(ten);
  }
  const { bytes, bytesUsed, position } = reader.state;
  assert.deepEqual([position, bytesUsed], [20, 4 * 4 * 64 * 20]);
  model.peek([1], reader.state);
  assert.deepEqual([reader.state.bytes, reader.state.bytesUsed, reader.state.position], [bytes, bytesUsed, position]);
});

for (const kind of ["causal_rn", "transformer", "linear_rn"]) {
  test(`${kind}: a look gives what a step would, and the next tokens are read as if there had been none`, () => {
    const model = read(kind);
    const [looked, stepped] = [model.newState(), model.newState()];
    for (const token of [0, 5, 7, 5]) {
      const logits = model.peek(token, looked);
      model.peek(9, looked);
      assert.deepEqual(logits, model.step(token, stepped).logits);
      assert.deepEqual(model.step(token, looked).logits, logits);
    }
  });
}

test("a point goes as far to one side as to the other, whole steps, and to where it is wanted between them", () => {
  for (const [range, step, edge] of [
    [2.5, 0.01, 2.37],
    [4, 0.01, 3.8],
    [2.5, undefined, 2.375],
  ]) {
    for (const far of [edge ?? 0, 2.375, 9].filter((one) => one >= (edge ?? 0))) {
      assert.equal(placeWithin(far, range ?? 0, step), edge);
      assert.equal(placeWithin(-far, range ?? 0, step), -(edge ?? 0));
    }
  }
  assert.deepEqual([placeWithin(0.296, 4, 0.01), placeWithin(-1.2, 4, 0.1), placeWithin(0.296, 4)], [0.3, -1.2, 0.296]);
});

test("vectors of several numbers are read, and what does not fit is refused in one line", () => {
  const model = read("three");
  assertClose(
    model.forward(three.vectors).flatMap((row) => [...row]),
    three.logits.flat(),
    "logits",
  );
  assert.throws(() => model.step(3, model.newState()), /reads vectors of width 3; got a token/);
  assert.throws(() => model.step([1, 2], model.newState()), /reads vectors of width 3; got 2/);
  const letters = read("causal_rn");
  assert.throws(() => letters.step([1], letters.newState()), /token ids are 0 to 28; got 1/);
  assert.throws(() => read("convolved"), /pages run models without short_conv; got short_conv 2/);
  assert.throws(() => read("windowed"), /pages run models without first_window; got first_window 3/);
});
