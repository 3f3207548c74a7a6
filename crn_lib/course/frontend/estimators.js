// What a fitted line is measured against, in one coordinate: `crn_lib.tasks.estimators` in JavaScript.

/** @typedef {{x: number, y: number}} Example */
/** @typedef {(x: number) => number} Estimate */

const NEIGHBOURS = 3;

/**
 * The line through 0 that is nearest to all examples; level where none says anything of the slope.
 * @param {Example[]} examples
 * @returns {Estimate}
 */
function leastSquares(examples) {
  const squares = sum(examples, ({ x }) => x * x);
  const slope = squares ? sum(examples, ({ x, y }) => x * y) / squares : 0;
  return (x) => slope * x;
}

/**
 * x times the mean of y x.
 * @param {Example[]} examples
 * @returns {Estimate}
 */
function averaging(examples) {
  const slope = sum(examples, ({ x, y }) => x * y) / examples.length;
  return (x) => slope * x;
}

/**
 * The mean of the lines through 0 and one example each; no number where an example has x = 0, through which none is.
 * @param {Example[]} examples
 * @returns {Estimate}
 */
function averagedProjections(examples) {
  const slope = sum(examples, ({ x, y }) => (x ? y / x : Number.NaN)) / examples.length;
  return (x) => slope * x;
}

/**
 * The mean y of the three nearest examples, of all where there are fewer; of two equally near the later one.
 * @param {Example[]} examples
 * @returns {Estimate}
 */
function nearestNeighbours(examples) {
  // In float32 as the library's: whether two are equally near hangs on the last digit.
  return (at) => {
    const byDistance = examples
      .toReversed()
      .map(({ x, y }) => ({ far: Math.abs(Math.fround(Math.fround(x) - Math.fround(at))), y }))
      .sort((one, other) => one.far - other.far); // which keeps the order of equals
    const nearest = byDistance.slice(0, NEIGHBOURS);
    return sum(nearest, ({ y }) => y) / nearest.length;
  };
}

/**
 * @template T
 * @param {T[]} parts
 * @param {(part: T) => number} value
 */
function sum(parts, value) {
  return parts.reduce((total, part) => total + value(part), 0);
}

/** @type {Record<string, (examples: Example[]) => Estimate>} by the names of `crn_lib.tasks.ESTIMATORS` */
export const ESTIMATORS = {
  "least squares": leastSquares,
  averaging,
  "averaged projections": averagedProjections,
  [`${NEIGHBOURS} nearest neighbours`]: nearestNeighbours,
};
