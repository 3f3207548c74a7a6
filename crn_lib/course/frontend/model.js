// A trained model from its safetensors file, token by token with its real memory: `crn_lib.models` in JavaScript. With
// `input_width` its "tokens" are vectors.

import { add, affine, argmax, layerNorm } from "./numbers.js";
import { RunningSum } from "./pool.js";
import { RelationBlock } from "./relation_block.js";
import { readSafetensors } from "./safetensors.js";
import { TransformerBlock } from "./transformer_block.js";

/** @typedef {import("./pool.js").Pool} Pool */
/** @typedef {import("./pool.js").KeyValueCache} KeyValueCache */

/**
 * @typedef {object} ModelConfig as in `crn_lib.models.ModelConfig`
 * @property {"causal_rn" | "linear_rn" | "transformer"} kind
 * @property {number} vocab_size
 * @property {number} width
 * @property {number} blocks
 * @property {number} max_length
 * @property {number} heads
 * @property {string | null} norm
 * @property {string | null} activation
 * @property {boolean} post_norm
 * @property {number | null} [input_width]
 * @property {number} [short_conv]
 * @property {number | null} [first_window]
 */

/** @typedef {number | ArrayLike<number>} Input a token's id, or the `input_width` numbers of a vector */

const BLOCKS = { causal_rn: RelationBlock, linear_rn: RelationBlock, transformer: TransformerBlock };
const POSITION = 8; // bytes of the number of the next position, an int64

export class SequenceModel {
  /**
   * @param {ArrayBuffer | ArrayBufferView} bytes a file whose header has the configuration under `model`, in JSON
   * @throws {Error} a file that cannot be read, or a kind of model that pages do not run
   */
  constructor(bytes) {
    const { metadata, tensors } = readSafetensors(bytes);
    /** @type {ModelConfig} */
    this.config = JSON.parse(metadata.model ?? "{}");
    const Block = BLOCKS[this.config.kind];
    if (!Block) throw new Error(`pages run ${Object.keys(BLOCKS).join(", ")}; got ${this.config.kind}`);
    for (const part of /** @type {const} */ (["short_conv", "first_window"])) {
      if (this.config[part]) throw new Error(`pages run models without ${part}; got ${part} ${this.config[part]}`);
    }
    /** @param {string} name */
    const tensor = (name) => {
      const found = tensors.get(name);
      if (!found) throw new Error(`the file has no tensor ${name}`);
      return found;
    };
    const vectors = typeof this.config.input_width === "number";
    this.embedding = tensor(vectors ? "read_in.weight" : "token_embedding.weight");
    this.readInBias = vectors ? tensor("read_in.bias") : undefined; // of models of vectors alone
    this.places = tensors.get("position_embedding.weight");
    this.head = tensor("head.weight");
    this.blocks = Array.from({ length: this.config.blocks }, (_, number) => {
      return new Block((name) => tensor(`blocks.${number}.${name}`), this.config);
    });
  }

  /** What is held before the first token. */
  newState() {
    return new DecodingState(this.blocks.map((block) => block.newState()));
  }

  /**
   * One more token.
   * @param {Input} input
   * @param {DecodingState} state is updated in place
   * @param {(import("./relation_block.js").Edit | undefined)[]} [edits] by block; only blocks of relations take any
   * @returns {{logits: Float32Array, stream: Float32Array[]}} what follows, and the residual stream behind each block
   */
  step(input, state, edits = []) {
    const { max_length } = this.config;
    let x = this.embed(input);
    if (state.position >= max_length) throw new Error(`the model's ${max_length} positions are used up`);
    if (this.places) x = add(x, this.rowOf(this.places, state.position));
    const stream = this.blocks.map((block, number) => {
      x = block.step(x, /** @type {any} */ (state.blocks[number]), edits[number]);
      return x;
    });
    state.position++;
    return { logits: affine(this.head, layerNorm(x)), stream };
  }

  /**
   * What `step` would give, of a token that is not kept: so one sequence can be asked many things.
   * @param {Input} input
   * @param {DecodingState} state is left as it was
   * @returns {Float32Array} the logits
   */
  peek(input, state) {
    const { position } = state;
    const sums = state.blocks.map((held) => (held instanceof RunningSum ? held.logSum.slice() : undefined));
    const { logits } = this.step(input, state);
    state.position = position;
    for (const [block, held] of state.blocks.entries()) {
      if (held instanceof RunningSum) held.forget(position, sums[block] ?? held.logSum);
      else held.forget(position);
    }
    return logits;
  }

  /**
   * What enters the first block, but for its place.
   * @param {Input} input
   */
  embed(input) {
    const { vocab_size, input_width } = this.config;
    if (this.readInBias) {
      const vector = typeof input === "number" ? undefined : Float32Array.from(input);
      if (vector && vector.length === input_width) return affine(this.embedding, vector, this.readInBias);
      throw new Error(`the model reads vectors of width ${input_width}; got ${vector?.length ?? "a token"}`);
    }
    if (typeof input === "number" && input >= 0 && input < vocab_size) return this.rowOf(this.embedding, input);
    throw new Error(`token ids are 0 to ${vocab_size - 1}; got ${input}`);
  }

  /** @param {{data: Float32Array}} table @param {number} row */
  rowOf({ data }, row) {
    const { width } = this.config;
    return data.subarray(row * width, (row + 1) * width);
  }

  /**
   * All positions of a sequence.
   * @param {Input[]} tokens
   * @returns {Float32Array[]} the logits at each
   */
  forward(tokens) {
    const state = this.newState();
    return tokens.map((token) => this.step(token, state).logits);
  }

  /**
   * The most probable continuation.
   * @param {number[]} prompt
   * @param {number} steps
   * @throws {Error} the model reads vectors, which no logits are
   */
  generate(prompt, steps) {
    const state = this.newState();
    /** @type {number[]} */
    const written = [];
    for (const token of prompt.slice(0, -1)) this.step(token, state);
    let last = prompt[prompt.length - 1];
    while (written.length < steps) {
      last = argmax(this.step(last, state).logits);
      written.push(last);
    }
    return written;
  }
}

export class DecodingState {
  /** @param {(Pool | RunningSum | KeyValueCache)[]} blocks */
  constructor(blocks) {
    this.blocks = blocks;
    this.position = 0;
  }

  /** Bytes held, spare rows of growing buffers included. */
  get bytes() {
    return this.blocks.reduce((sum, block) => sum + block.bytes, POSITION);
  }

  /** Bytes of what was read itself. */
  get bytesUsed() {
    return this.blocks.reduce((sum, block) => sum + block.bytesUsed, 0);
  }
}
