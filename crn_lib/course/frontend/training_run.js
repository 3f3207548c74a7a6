// One training run of a small CausalRN on copies of one length, from its settings alone: no page, no clock.

import { AdamW } from "./adamw.js";
import { EOS, letterOf, promptOf } from "./copy.js";
import { argmax } from "./numbers.js";
import { Copies, drawText, drawWeights, seeded } from "./random_copies.js";
import { TrainableRN } from "./trainable.js";

/**
 * @typedef {object} Settings
 * @property {import("./pair_gradients.js").Norm} norm
 * @property {import("./pair_gradients.js").Activation} activation
 * @property {number} rate
 * @property {number} letters
 * @property {number} seed
 */

/**
 * @typedef {object} Point the mean over the last steps
 * @property {number} step
 * @property {number} loss
 * @property {number} right share of the letters of strings never seen before
 */

const WIDTH = 32;
const BLOCKS = 2;
const VOCAB = 29;
const BATCH = 32;
const WARMUP = 20;
const EVERY = 10; // steps a point
const LEARNT = 0.995;

export class TrainingRun {
  /**
   * @param {Settings} settings
   * @param {number} steps at most
   */
  constructor({ norm, activation, rate, letters, seed }, steps) {
    this.steps = steps;
    const shape = { width: WIDTH, blocks: BLOCKS, vocab: VOCAB, length: 2 * (letters + 1), norm, activation };
    this.model = new TrainableRN(shape, BATCH);
    this.reader = new TrainableRN(shape, 1, this.model.weights); // of the sample
    drawWeights(this.model.weights, BLOCKS, seeded(3 * seed));
    this.strings = seeded(3 * seed + 1);
    this.sample = drawText(letters, seeded(3 * seed + 2));
    this.optimizer = new AdamW(this.model.weights.all.length, rate, WARMUP);
    this.batch = new Copies(BATCH, letters);
    this.step = 0;
    /** @type {"training" | "learnt" | "not learnt" | "diverged"} */
    this.state = "training";
  }

  /**
   * A few steps more. Each batch is scored before anything is learnt from it, so its strings are new ones.
   * @returns {Point}
   */
  advance() {
    const { model, batch, optimizer } = this;
    let loss = 0;
    let right = 0;
    let letters = 0;
    for (let taken = 0; taken < EVERY; taken++) {
      batch.draw(this.strings);
      loss += model.learnFrom(batch.tokens, batch.targets) / EVERY;
      for (const [row, target] of batch.targets.entries()) {
        if (target <= EOS) continue; // not scored, or the end, which always stands in the same place
        letters++;
        right += Number(model.best[row] === target);
      }
      optimizer.step(model.weights.all, model.gradient.all);
      this.step++;
    }
    if (!Number.isFinite(loss)) this.state = "diverged";
    else if (right >= LEARNT * letters) this.state = "learnt";
    else if (this.step >= this.steps) this.state = "not learnt";
    return { step: this.step, loss, right: right / letters };
  }

  /** What the model writes when it is given the sample and reads its own letters, as many as it should. */
  write() {
    const { length } = this.reader.shape;
    const tokens = new Int32Array(length).fill(EOS);
    tokens.set(promptOf(this.sample));
    let written = "";
    for (let place = this.sample.length + 1; place < length; place++) {
      const logits = this.reader.forward(tokens);
      const next = argmax(logits.subarray(place * VOCAB, (place + 1) * VOCAB));
      written += letterOf(next);
      if (place + 1 < length) tokens[place + 1] = next;
    }
    return written;
  }
}
