// A trained model from its safetensors file, token by token with its real memory: `crn_lib.models` in JavaScript.

import { add, affine, argmax, layerNorm } from "./numbers.js";
import { RelationBlock } from "./relation_block.js";
import { readSafetensors } from "./safetensors.js";
import { TransformerBlock } from "./transformer_block.js";

/** @typedef {import("./pool.js").Pool} Pool */
/** @typedef {import("./pool.js").RunningSum} RunningSum */
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
 */

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
    /** @param {string} name */
    const tensor = (name) => {
      const found = tensors.get(name);
      if (!found) throw new Error(`the file has no tensor ${name}`);
      return found;
    };
    this.embedding = tensor("token_embedding.weight");
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
   * @param {number} token
   * @param {DecodingState} state is updated in place
   * @param {(import("./relation_block.js").Edit | undefined)[]} [edits] by block; only blocks of relations take any
   * @returns {{logits: Float32Array, stream: Float32Array[]}} what follows, and the residual stream behind each block
   */
  step(token, state, edits = []) {
    const { width, max_length, vocab_size } = this.config;
    if (!(token >= 0 && token < vocab_size)) throw new Error(`token ids are 0 to ${vocab_size - 1}; got ${token}`);
    if (state.position >= max_length) throw new Error(`the model's ${max_length} positions are used up`);
    /** @param {{data: Float32Array}} table @param {number} row */
    const embedded = (table, row) => table.data.subarray(row * width, (row + 1) * width);
    let x = embedded(this.embedding, token);
    if (this.places) x = add(x, embedded(this.places, state.position));
    const stream = this.blocks.map((block, number) => {
      x = block.step(x, /** @type {any} */ (state.blocks[number]), edits[number]);
      return x;
    });
    state.position++;
    return { logits: affine(this.head, layerNorm(x)), stream };
  }

  /**
   * All positions of a sequence.
   * @param {number[]} tokens
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
