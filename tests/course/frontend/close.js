// Numbers that must agree.

import assert from "node:assert/strict";

/**
 * @param {Iterable<number>} found
 * @param {number[]} wanted
 * @param {string} where
 * @param {number} [tolerance] relative, and absolute below 1
 */
export function assertClose(found, wanted, where, tolerance = 1e-4) {
  const values = [...found];
  assert.equal(values.length, wanted.length, where);
  values.forEach((value, place) => {
    const off = Math.abs(value - wanted[place]);
    assert.ok(
      off <= tolerance * Math.max(1, Math.abs(wanted[place])),
      `${where}[${place}]: ${value}, not ${wanted[place]}`,
    );
  });
}
