// A block of the CausalRN and of the linear RN, one token at a time: `crn_lib.models.causal_rn` in JavaScript.

import { add, affine, EPSILON, layerNorm } from "./numbers.js";
import { Pool, RunningSum } from "./pool.js";

/** @typedef {import("./safetensors.js").Tensor} Tensor */
/** @typedef {import("./model.js").ModelConfig} ModelConfig */

/**
 * @typedef {object} Edit what one token's step in a block is changed by
 * @property {number} [missing] position of the sender that it does not see
 * @property {(own: Float32Array) => Float32Array} [receiver] a hook: sees the receiver, and what it returns takes its place
 */

export class RelationBlock {
  /**
   * @param {(name: string) => Tensor} weight the block's tensor of this name
   * @param {ModelConfig} config
   */
  constructor(weight, config) {
    const { norm, activation, heads, post_norm } = config;
    if (activation !== "exp" || (norm !== "exact" && norm !== "approx")) {
      throw new Error(`pages run relations of norm exact or approx with exp; got ${norm} with ${activation}`);
    }
    this.weight = weight;
    this.heads = heads;
    this.factorises = norm === "approx";
    this.postNorm = post_norm;
    this.innerWidth = weight("sender.weight").shape[0];
  }

  newState() {
    return this.factorises ? new RunningSum(this.innerWidth) : new Pool(this.innerWidth);
  }

  /**
   * `x + W3 LN(relation(W1 LN(x) + c1, W2 LN(x))) + c3` at the newest position.
   * @param {Float32Array} x
   * @param {Pool | RunningSum} state grows by this token
   * @param {Edit} [edit]
   */
  step(x, state, edit = {}) {
    const normalised = layerNorm(x);
    const own = affine(this.weight("receiver.weight"), normalised, this.weight("receiver.bias"));
    const a = edit.receiver?.(own) ?? own;
    const b = affine(this.weight("sender.weight"), normalised);
    const out =
      state instanceof Pool ? poolStep(a, b, state, this.heads, edit.missing) : sumStep(a, b, state, this.heads);
    const read = this.postNorm ? layerNorm(out) : out;
    return add(x, affine(this.weight("readout.weight"), read, this.weight("readout.bias")));
  }
}

/**
 * `mean_j exp(LN(a + b_j))` over all senders in the pool but the missing one; `b` joins them first.
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {Pool} pool
 * @param {number} heads
 * @param {number} [missing] position of a sender
 */
export function poolStep(a, b, pool, heads, missing = -1) {
  pool.append(b);
  const sums = new Float64Array(a.length);
  const width = a.length / heads;
  const heard = pool.length - Number(missing >= 0 && missing < pool.length);
  const { buffer } = pool; // not its rows one by one: each would be a new object
  for (let j = 0; j < pool.length; j++) {
    if (j === missing) continue;
    const row = j * a.length;
    for (let from = 0; from < a.length; from += width) {
      let mean = 0;
      for (let d = from; d < from + width; d++) mean += a[d] + buffer[row + d];
      mean /= width;
      let variance = 0;
      for (let d = from; d < from + width; d++) {
        const centred = a[d] + buffer[row + d] - mean;
        variance += centred * centred;
      }
      const scale = 1 / Math.sqrt(variance / width + EPSILON);
      for (let d = from; d < from + width; d++) sums[d] += Math.exp((a[d] + buffer[row + d] - mean) * scale);
    }
  }
  const out = new Float32Array(a.length);
  for (let d = 0; d < out.length; d++) out[d] = sums[d] / Math.max(1, heard);
  return out;
}

/**
 * `mean_j exp(LN(a) + LN(b_j))`, which is `exp(LN(a))` times the mean of `exp(LN(b_j))`: one vector is enough.
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {RunningSum} state
 * @param {number} heads
 */
export function sumStep(a, b, state, heads) {
  state.append(layerNorm(b, heads));
  const count = Math.log(state.length);
  return layerNorm(a, heads).map((value, d) => Math.exp(value + state.logSum[d] - count));
}
