// A CausalRN that can be trained: loss and gradient of a batch of copies. `crn_lib.models` and autograd in JavaScript.

import { argmax } from "./numbers.js";
import { BatchRelation } from "./pair_gradients.js";
import { multiply, normaliseRows, normaliseRowsBack, transpose } from "./products.js";

/** @typedef {import("./products.js").Numbers} Numbers */

/**
 * @typedef {object} Shape
 * @property {number} width
 * @property {number} blocks
 * @property {number} vocab
 * @property {number} length tokens in a sequence
 * @property {import("./pair_gradients.js").Norm} norm
 * @property {import("./pair_gradients.js").Activation} activation
 */

/** Target of a place that is not scored. */
export const NOT_SCORED = -100;

/** Numbers by name, one after the other in one array, so that an optimizer has one loop. */
export class Parameters {
  /** @param {Shape} shape */
  constructor({ width, blocks, vocab, length }) {
    /** @type {Record<string, number>} as `crn_lib` names them, each with how many numbers it has */
    const sizes = { "token_embedding.weight": vocab * width, "position_embedding.weight": length * width };
    for (let block = 0; block < blocks; block++) {
      sizes[`blocks.${block}.receiver.weight`] = width * width;
      sizes[`blocks.${block}.receiver.bias`] = width;
      sizes[`blocks.${block}.sender.weight`] = width * width;
      sizes[`blocks.${block}.readout.weight`] = width * width;
      sizes[`blocks.${block}.readout.bias`] = width;
    }
    sizes["head.weight"] = vocab * width;
    this.all = new Float64Array(Object.values(sizes).reduce((sum, size) => sum + size, 0));
    /** @type {Map<string, Numbers>} */
    this.named = new Map();
    let from = 0;
    for (const [name, size] of Object.entries(sizes)) {
      this.named.set(name, this.all.subarray(from, from + size));
      from += size;
    }
  }

  /** @param {string} name */
  get(name) {
    return /** @type {Numbers} */ (this.named.get(name));
  }
}

/** One block's part in a batch: `x + W3 LN(relation(W1 LN(x) + c1, W2 LN(x))) + c3`. */
class BatchBlock {
  /**
   * @param {Shape & {batch: number}} shape
   * @param {(name: string) => Numbers} weight
   * @param {(name: string) => Numbers} slot where a weight's gradient goes
   */
  constructor(shape, weight, slot) {
    const { batch, length, width } = shape;
    this.rows = batch * length;
    this.width = width;
    this.weight = weight;
    this.slot = slot;
    this.relation = new BatchRelation(shape);
    const rows = () => new Float64Array(this.rows * width);
    this.input = rows();
    this.inputScales = new Float64Array(this.rows);
    this.a = rows();
    this.b = rows();
    this.mixed = rows();
    this.read = rows();
    this.readScales = new Float64Array(this.rows);
    // Room for the backward pass: gradients and transposed rows.
    this.one = rows();
    this.other = rows();
    this.turned = rows();
    this.turnedToo = rows();
    this.square = new Float64Array(width * width);
  }

  /** @param {Numbers} x the residual stream, which the block adds to */
  forward(x) {
    const { rows, width, weight } = this;
    normaliseRows(this.input, this.inputScales, x, rows, width);
    multiply(this.a, this.input, weight("receiver.weight"), [rows, width, width]);
    addToRows(this.a, weight("receiver.bias"));
    multiply(this.b, this.input, weight("sender.weight"), [rows, width, width]);
    this.relation.forward(this.mixed, this.a, this.b);
    normaliseRows(this.read, this.readScales, this.mixed, rows, width);
    multiply(x, this.read, weight("readout.weight"), [rows, width, width], true);
    addToRows(x, weight("readout.bias"));
  }

  /** @param {Numbers} gradient of the residual stream behind the block, and then before it */
  backward(gradient) {
    const { rows, width, one, other } = this;
    this.affineBack("readout", this.read, gradient, one, false);
    this.slot("readout.bias").set(sumOfRows(gradient, width));
    normaliseRowsBack(one, this.read, this.readScales, rows, width);
    this.relation.backward(this.a, this.b, one);
    this.affineBack("receiver", this.input, this.a, other, false);
    this.slot("receiver.bias").set(sumOfRows(this.a, width));
    this.affineBack("sender", this.input, this.b, other, true);
    normaliseRowsBack(other, this.input, this.inputScales, rows, width);
    for (let place = 0; place < gradient.length; place++) gradient[place] += other[place];
  }

  /**
   * The gradients of a matrix and of its input.
   * @param {string} name
   * @param {Numbers} input
   * @param {Numbers} gradient of what the matrix gave
   * @param {Numbers} out the input's
   * @param {boolean} added
   */
  affineBack(name, input, gradient, out, added) {
    const { rows, width, turned, turnedToo, square } = this;
    transpose(turned, gradient, rows, width);
    transpose(turnedToo, input, rows, width);
    multiply(this.slot(`${name}.weight`), turned, turnedToo, [width, width, rows]);
    transpose(square, this.weight(`${name}.weight`), width, width);
    multiply(out, gradient, square, [rows, width, width], added);
  }
}

/** @param {Numbers} x @param {Numbers} row */
function addToRows(x, row) {
  for (let place = 0; place < x.length; ) for (let d = 0; d < row.length; d++, place++) x[place] += row[d];
}

/** @param {Numbers} x @param {number} width */
function sumOfRows(x, width) {
  const sum = new Float64Array(width);
  for (let place = 0; place < x.length; ) for (let d = 0; d < width; d++, place++) sum[d] += x[place];
  return sum;
}

/** A model with room for batches of one size. Several may share their weights. */
export class TrainableRN {
  /**
   * @param {Shape} shape
   * @param {number} batch
   * @param {Parameters} [weights]
   */
  constructor(shape, batch, weights = new Parameters(shape)) {
    this.shape = shape;
    this.batch = batch;
    this.weights = weights;
    this.gradient = new Parameters(shape);
    this.blocks = Array.from({ length: shape.blocks }, (_, number) => {
      const part = (/** @type {Parameters} */ from) => (/** @type {string} */ name) =>
        from.get(`blocks.${number}.${name}`);
      return new BatchBlock({ ...shape, batch }, part(weights), part(this.gradient));
    });
    const rows = batch * shape.length;
    this.stream = new Float64Array(rows * shape.width);
    this.normalised = new Float64Array(rows * shape.width);
    this.scales = new Float64Array(rows);
    this.logits = new Float64Array(rows * shape.vocab);
    this.best = new Int32Array(rows);
    this.turned = new Float64Array(rows * Math.max(shape.width, shape.vocab));
    this.turnedToo = new Float64Array(rows * shape.width);
    this.headTurned = new Float64Array(shape.vocab * shape.width);
  }

  /**
   * The logits at every place.
   * @param {Int32Array} tokens (batch, length)
   */
  forward(tokens) {
    const { width, length, vocab } = this.shape;
    const { stream } = this;
    const embedding = this.weights.get("token_embedding.weight");
    const places = this.weights.get("position_embedding.weight");
    for (let row = 0, at = 0; row < tokens.length; row++) {
      const [token, place] = [tokens[row] * width, (row % length) * width];
      for (let d = 0; d < width; d++, at++) stream[at] = embedding[token + d] + places[place + d];
    }
    for (const block of this.blocks) block.forward(stream);
    normaliseRows(this.normalised, this.scales, stream, tokens.length, width);
    multiply(this.logits, this.normalised, this.weights.get("head.weight"), [tokens.length, vocab, width]);
    return this.logits;
  }

  /**
   * The mean cross entropy over the scored places, whose gradient lies in `gradient` then, and what was most probable
   * there in `best`.
   * @param {Int32Array} tokens (batch, length)
   * @param {Int32Array} targets
   */
  learnFrom(tokens, targets) {
    this.forward(tokens);
    const loss = this.score(targets);
    this.backward(tokens);
    return loss;
  }

  /** @param {Int32Array} targets turns the logits into the loss's gradient of them */
  score(targets) {
    const { vocab } = this.shape;
    const scored = targets.reduce((count, target) => count + Number(target !== NOT_SCORED), 0);
    let loss = 0;
    for (let row = 0; row < targets.length; row++) {
      const own = this.logits.subarray(row * vocab, (row + 1) * vocab);
      if (targets[row] === NOT_SCORED) {
        own.fill(0);
        continue;
      }
      this.best[row] = argmax(own);
      const [largest, wanted] = [own[this.best[row]], own[targets[row]]];
      let total = 0;
      for (let token = 0; token < vocab; token++) {
        own[token] = Math.exp(own[token] - largest);
        total += own[token];
      }
      for (let token = 0; token < vocab; token++) own[token] /= total * scored;
      own[targets[row]] -= 1 / scored;
      loss += Math.log(total) + largest - wanted;
    }
    return loss / scored;
  }

  /** @param {Int32Array} tokens */
  backward(tokens) {
    const { width, length, vocab } = this.shape;
    const { stream, normalised, logits } = this;
    const rows = tokens.length;
    transpose(this.turned, logits, rows, vocab);
    transpose(this.turnedToo, normalised, rows, width);
    multiply(this.gradient.get("head.weight"), this.turned, this.turnedToo, [vocab, width, rows]);
    transpose(this.headTurned, this.weights.get("head.weight"), vocab, width);
    multiply(stream, logits, this.headTurned, [rows, width, vocab]); // from here on the stream's gradient
    normaliseRowsBack(stream, normalised, this.scales, rows, width);
    for (const block of this.blocks.toReversed()) block.backward(stream);
    const embedding = this.gradient.get("token_embedding.weight").fill(0);
    const places = this.gradient.get("position_embedding.weight").fill(0);
    for (let row = 0, at = 0; row < rows; row++) {
      const [token, place] = [tokens[row] * width, (row % length) * width];
      for (let d = 0; d < width; d++, at++) {
        embedding[token + d] += stream[at];
        places[place + d] += stream[at];
      }
    }
  }
}
