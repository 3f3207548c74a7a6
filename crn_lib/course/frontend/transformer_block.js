// A block of the Transformer, one token at a time: `crn_lib.models.transformer` in JavaScript.

import { add, affine, gelu, layerNorm, softmax } from "./numbers.js";
import { KeyValueCache } from "./pool.js";

/** @typedef {import("./safetensors.js").Tensor} Tensor */
/** @typedef {import("./model.js").ModelConfig} ModelConfig */

export class TransformerBlock {
  /**
   * @param {(name: string) => Tensor} weight the block's tensor of this name
   * @param {ModelConfig} config
   */
  constructor(weight, config) {
    this.weight = weight;
    this.heads = config.heads;
    this.width = config.width;
  }

  newState() {
    return new KeyValueCache(this.width);
  }

  /**
   * `x + W_o attention(LN(x))`, then `x + W_2 gelu(W_1 LN(x))`, at the newest position.
   * @param {Float32Array} x
   * @param {KeyValueCache} cache grows by this token
   */
  step(x, cache) {
    const mixed = this.attend(this.apply("query_key_value", layerNorm(x)), cache);
    const added = add(x, this.apply("projection", mixed));
    return add(added, this.apply("contract", this.apply("expand", layerNorm(added)).map(gelu)));
  }

  /**
   * @param {string} layer
   * @param {Float32Array} x
   */
  apply(layer, x) {
    return affine(this.weight(`${layer}.weight`), x, this.weight(`${layer}.bias`));
  }

  /**
   * @param {Float32Array} queryKeyValue one behind another
   * @param {KeyValueCache} cache
   */
  attend(queryKeyValue, { keys, values }) {
    const { width, heads } = this;
    keys.append(queryKeyValue.subarray(width, 2 * width));
    values.append(queryKeyValue.subarray(2 * width));
    const out = new Float32Array(width);
    const part = width / heads;
    for (let from = 0; from < width; from += part) {
      const scores = new Float64Array(keys.length);
      for (let j = 0; j < keys.length; j++) {
        const row = j * width;
        let score = 0;
        for (let d = from; d < from + part; d++) score += queryKeyValue[d] * keys.buffer[row + d];
        scores[j] = score / Math.sqrt(part);
      }
      const shares = softmax(scores);
      for (let j = 0; j < keys.length; j++) {
        const row = j * width;
        for (let d = from; d < from + part; d++) out[d] += shares[j] * values.buffer[row + d];
      }
    }
    return out;
  }
}
