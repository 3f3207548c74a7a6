// The few functions on vectors that the models are made of. Sums are taken in JavaScript's float64, results kept in float32.

/** @typedef {import("./safetensors.js").Tensor} Tensor */

/** As in `crn_lib.ops.normalise`: keeps a row of identical values finite. */
export const EPSILON = 1e-20;

/**
 * Mean 0 and population variance 1, of each head's equal part by itself.
 * @param {Float32Array} x
 * @param {number} [heads]
 */
export function layerNorm(x, heads = 1) {
  const out = new Float32Array(x.length);
  const width = x.length / heads;
  for (let from = 0; from < x.length; from += width) {
    let mean = 0;
    for (let d = from; d < from + width; d++) mean += x[d];
    mean /= width;
    let variance = 0;
    for (let d = from; d < from + width; d++) variance += (x[d] - mean) ** 2;
    const scale = 1 / Math.sqrt(variance / width + EPSILON);
    for (let d = from; d < from + width; d++) out[d] = (x[d] - mean) * scale;
  }
  return out;
}

/**
 * `weight @ x + bias`.
 * @param {Tensor} weight (outputs, inputs)
 * @param {Float32Array} x
 * @param {Tensor} [bias] (outputs,)
 */
export function affine(weight, x, bias) {
  const [outputs, inputs] = weight.shape;
  const { data } = weight;
  const out = new Float32Array(outputs);
  // Four sums side by side: one would wait for each addition before it, and a number of x is loaded once for four.
  const fours = outputs - (outputs % 4);
  for (let row = 0; row < fours; row += 4) {
    let s0 = bias ? bias.data[row] : 0;
    let s1 = bias ? bias.data[row + 1] : 0;
    let s2 = bias ? bias.data[row + 2] : 0;
    let s3 = bias ? bias.data[row + 3] : 0;
    for (let d = 0, p0 = row * inputs, p1 = p0 + inputs, p2 = p1 + inputs, p3 = p2 + inputs; d < inputs; d++) {
      const value = x[d];
      s0 += data[p0 + d] * value;
      s1 += data[p1 + d] * value;
      s2 += data[p2 + d] * value;
      s3 += data[p3 + d] * value;
    }
    out[row] = s0;
    out[row + 1] = s1;
    out[row + 2] = s2;
    out[row + 3] = s3;
  }
  for (let row = fours; row < outputs; row++) {
    let sum = bias ? bias.data[row] : 0;
    for (let d = 0; d < inputs; d++) sum += data[row * inputs + d] * x[d];
    out[row] = sum;
  }
  return out;
}

/**
 * @param {Float32Array} x
 * @param {Float32Array} y
 */
export function add(x, y) {
  const out = new Float32Array(x.length);
  for (let d = 0; d < x.length; d++) out[d] = x[d] + y[d];
  return out;
}

/**
 * `x * Phi(x)`, the exact GELU; the error function by Abramowitz and Stegun's 7.1.26, right to 1.5e-7.
 * @param {number} x
 */
export function gelu(x) {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const upper = 0.5 * polynomial * Math.exp(-z * z); // of the normal distribution beyond |x|
  return x * (x < 0 ? upper : 1 - upper);
}

/** @param {ArrayLike<number>} x */
export function softmax(x) {
  const largest = x[argmax(x)];
  const out = new Float64Array(x.length);
  let total = 0;
  for (let place = 0; place < x.length; place++) {
    out[place] = Math.exp(x[place] - largest);
    total += out[place];
  }
  for (let place = 0; place < x.length; place++) out[place] /= total;
  return out;
}

/** @param {ArrayLike<number>} x */
export function argmax(x) {
  let best = 0;
  for (let place = 1; place < x.length; place++) if (x[place] > x[best]) best = place;
  return best;
}
