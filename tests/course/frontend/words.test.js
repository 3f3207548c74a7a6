// What may be typed into the copier and what is said of it; files that are no models.

import assert from "node:assert/strict";
import { test } from "node:test";
import { understand } from "../../../crn_lib/course/frontend/copy.js";
import { fixed } from "../../../crn_lib/course/frontend/dom.js";
import { SequenceModel } from "../../../crn_lib/course/frontend/model.js";
import { readSafetensors } from "../../../crn_lib/course/frontend/safetensors.js";

test("letters are taken as they are", () => assert.deepEqual(understand("abc", 32), { text: "abc", said: "" }));

for (const [typed, text, ...words] of [
  ["", "", "Nothing to copy"],
  ["🎉", "", "Left out: 🎉;", "Nothing to copy"],
  ["Hello", "hello", "Capitals are read as small letters"],
  ["a b\tc1é日本", "abc", "Left out: space 1 é and others"],
  ["x".repeat(300), "x".repeat(32), "first 32 of your 300 letters"],
]) {
  test(`"${typed.slice(0, 12)}" is answered in words`, () => {
    const found = understand(typed, 32);
    assert.equal(found.text, text);
    for (const word of words) assert.ok(found.said.includes(word), found.said);
  });
}

test("a number that is shown as 0 has no minus", () => {
  assert.deepEqual([fixed(-0.004, 2), fixed(-0.4, 0), fixed(-0.006, 2)], ["0.00", "0", "−0.01"]);
});

/** @param {object} header @param {number} bytes */
function file(header, bytes) {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const made = new Uint8Array(8 + json.length + bytes);
  new DataView(made.buffer).setBigUint64(0, BigInt(json.length), true);
  made.set(json, 8);
  return made;
}

test("numbers are read wherever a view begins", () => {
  const made = file({ x: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, 4);
  new DataView(made.buffer).setFloat32(made.length - 4, 2.5, true);
  const shifted = new Uint8Array(made.length + 3);
  shifted.set(made, 3);
  assert.deepEqual([...(readSafetensors(shifted.subarray(3)).tensors.get("x")?.data ?? [])], [2.5]);
});

test("a damaged file is refused in words", () => {
  assert.throws(() => readSafetensors(new Uint8Array(4)), /no safetensors file/);
  assert.throws(() => readSafetensors(new Uint8Array(100).fill(255)), /no safetensors file/);
  const whole = { x: { dtype: "F32", shape: [2], data_offsets: [0, 8] } };
  assert.throws(() => readSafetensors(file(whole, 4)), /ends before x does/);
  assert.throws(() => readSafetensors(file({ x: { ...whole.x, dtype: "F16" } }, 8)), /x holds F16/);
  assert.throws(() => new SequenceModel(file(whole, 8)), /pages run causal_rn/);
});
