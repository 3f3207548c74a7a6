// What a model of vectors predicts at any x, having read points: x1, y1, x2, y2 ... xk, yk, one number a place.

/** @typedef {import("./model.js").SequenceModel} SequenceModel */
/** @typedef {import("./pool.js").Pool} Pool */
/** @typedef {import("./pool.js").KeyValueCache} KeyValueCache */

export class InContext {
  /** @param {SequenceModel} model reads one number and gives one, and remembers every place by itself */
  constructor(model) {
    this.model = model;
    this.state = model.newState();
    /** @type {number[]} */
    this.read = [];
  }

  /**
   * The points are read once, and those before the first that has changed not again. Every x is then asked of what that
   * left in memory, and forgotten.
   * @param {import("./estimators.js").Example[]} examples in the order in which they are read
   * @returns {import("./estimators.js").Estimate} good until the next points are read
   */
  fit(examples) {
    const numbers = examples.flatMap(({ x, y }) => [x, y]);
    for (const number of numbers.slice(this.keep(numbers))) this.model.step([number], this.state);
    this.read = numbers;
    return (x) => this.model.peek([x], this.state)[0];
  }

  /**
   * Forgets what was read otherwise.
   * @param {number[]} numbers
   * @returns {number} how many are still read
   */
  keep(numbers) {
    let same = 0;
    while (same < this.read.length && this.read[same] === numbers[same]) same++;
    for (const held of this.state.blocks) /** @type {Pool | KeyValueCache} */ (held).forget(same);
    this.state.position = same;
    return same;
  }
}
