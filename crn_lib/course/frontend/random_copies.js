// Random strings to copy, and random weights to begin with, from a seed.

import { EOS, promptOf } from "./copy.js";
import { NOT_SCORED } from "./trainable.js";

/** @typedef {() => number} Random uniform in [0, 1) */

/**
 * Marsaglia's xorshift of 32 bits (2003).
 * @param {number} seed
 * @returns {Random}
 */
export function seeded(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b1); // odd: no seed gives 0, which would stay 0
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let drawn = 0; drawn < 16; drawn++) next(); // the first numbers of near seeds are near each other
  return next;
}

/** @param {Random} random @returns {number} standard normal, by Box and Muller */
function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * As `SequenceModel.reset_parameters`.
 * @param {import("./trainable.js").Parameters} weights
 * @param {number} blocks
 * @param {Random} random
 */
export function drawWeights(weights, blocks, random) {
  for (const [name, values] of weights.named) {
    const spread = name.includes("embedding") ? 1 : name.includes("readout") ? 0.02 / Math.sqrt(blocks) : 0.02;
    for (let place = 0; place < values.length; place++) {
      values[place] = name.endsWith("bias") ? 0 : spread * normal(random);
    }
  }
}

/** @param {number} letters @param {Random} random */
export function drawText(letters, random) {
  return Array.from({ length: letters }, () => String.fromCharCode(97 + Math.floor(26 * random()))).join("");
}

/** Strings as `crn_lib.tasks.CopyingTask.sample` lays them out, all of one length. */
export class Copies {
  /** @param {number} batch @param {number} letters */
  constructor(batch, letters) {
    this.letters = letters;
    this.tokens = new Int32Array(batch * 2 * (letters + 1));
    this.targets = new Int32Array(this.tokens.length).fill(NOT_SCORED);
  }

  /** @param {Random} random other strings, in place */
  draw(random) {
    const length = 2 * (this.letters + 1);
    for (let from = 0; from < this.tokens.length; from += length) {
      const prompt = promptOf(drawText(this.letters, random));
      const copied = prompt.slice(1, -1);
      this.tokens.set([...prompt, ...copied], from);
      this.targets.set([...copied, EOS], from + prompt.length - 1);
    }
  }
}
