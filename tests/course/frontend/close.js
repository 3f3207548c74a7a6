// Numbers that must agree to 1e-4.

import assert from "node:assert/strict";

/**
 * @param {Iterable<number>} found
 * @param {number[]} wanted
 * @param {string} where
 */
export function assertClose(found, wanted, where) {
  const values = [...found];
  assert.equal(values.length, wanted.length, where);
  values.forEach((value, place) => {
    const off = Math.abs(value - wanted[place]);
    assert.ok(off <= 1e-4 * Math.max(1, Math.abs(wanted[place])), `${where}[${place}]: ${value}, not ${wanted[place]}`);
  });
}
