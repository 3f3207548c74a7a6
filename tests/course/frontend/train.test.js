// Training in JavaScript against torch: the loss and every gradient of a batch, and a dozen of the library's steps.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AdamW } from "../../../crn_lib/course/frontend/adamw.js";
import { Copies, drawText, seeded } from "../../../crn_lib/course/frontend/random_copies.js";
import { TrainableRN } from "../../../crn_lib/course/frontend/trainable.js";
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
