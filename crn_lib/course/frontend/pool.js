// What a block remembers between two tokens, its bytes counted as `crn_lib.ops.pool` counts them.

const COUNTER = 8; // bytes of the number of tokens, an int64
const NUMBER = 4; // bytes of a float32

/** One row for every token so far, in a buffer that doubles when it is full. */
export class Pool {
  /** @param {number} width */
  constructor(width) {
    this.width = width;
    this.length = 0;
    this.buffer = new Float32Array(16 * width);
  }

  /** @param {Float32Array} row */
  append(row) {
    if ((this.length + 1) * this.width > this.buffer.length) {
      const grown = new Float32Array(2 * this.buffer.length);
      grown.set(this.buffer);
      this.buffer = grown;
    }
    this.buffer.set(row, this.length++ * this.width);
  }

  /** @param {number} j */
  row(j) {
    return this.buffer.subarray(j * this.width, (j + 1) * this.width);
  }

  /** @param {number} length rows that are kept, from the first */
  forget(length) {
    this.length = length;
  }

  /** Bytes set aside: the buffer with its spare rows, and the count. */
  get bytes() {
    return this.buffer.byteLength + COUNTER;
  }

  /** Bytes of the rows themselves. */
  get bytesUsed() {
    return this.length * this.width * NUMBER;
  }
}

/** `log sum_j exp(b_j)` so far: all that a factorising relation remembers. */
export class RunningSum {
  /** @param {number} width */
  constructor(width) {
    this.width = width;
    this.length = 0;
    this.logSum = new Float32Array(width).fill(-Infinity);
  }

  /** @param {Float32Array} sender */
  append(sender) {
    this.length++;
    for (let d = 0; d < this.width; d++) {
      const larger = Math.max(this.logSum[d], sender[d]);
      const smaller = Math.min(this.logSum[d], sender[d]);
      this.logSum[d] = larger + Math.log1p(Math.exp(smaller - larger));
    }
  }

  /**
   * A sum forgets no token by itself: it must be told what it was.
   * @param {number} length
   * @param {Float32Array} logSum
   */
  forget(length, logSum) {
    this.length = length;
    this.logSum.set(logSum);
  }

  get bytes() {
    return this.logSum.byteLength + COUNTER;
  }

  get bytesUsed() {
    return this.logSum.byteLength;
  }
}

/** Keys and values of every token so far: two pools. */
export class KeyValueCache {
  /** @param {number} width */
  constructor(width) {
    this.keys = new Pool(width);
    this.values = new Pool(width);
  }

  /** @param {number} length tokens that are kept, from the first */
  forget(length) {
    for (const pool of [this.keys, this.values]) pool.forget(length);
  }

  get bytes() {
    return this.keys.bytes + this.values.bytes;
  }

  get bytesUsed() {
    return this.keys.bytesUsed + this.values.bytesUsed;
  }
}
