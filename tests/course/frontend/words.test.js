// What may be typed into the copier and what is said of it; files that are no models.

import assert from "node:assert/strict";
import { test } from "node:test";
import { understand } from "../../../crn_lib/course/frontend/copy.js";
import { fixed } from "../../../crn_lib/course/frontend/dom.js";
import { memoriesInWords } from "../../../crn_lib/course/frontend/memory_words.js";
import { SequenceModel } from "../../../crn_lib/course/frontend/model.js";
import { normInWords, rowAt } from "../../../crn_lib/course/frontend/norm_places.js";
import { readSafetensors } from "../../../crn_lib/course/frontend/safetensors.js";

test("letters are taken as they are", () => assert.deepEqual(understand("abc", 32), { text: "abc", said: "" }));

for (const [typed, text, ...words] of [
  ["", "", "Nothing to copy"],
  ["🎉", "", "Left out: “🎉”;", "Nothing to copy"],
  ["Hello", "hello", "Capitals are read as small letters"],
  ["a b\tc1é日本", "abc", "Left out: space, “1”, “é” and others"],
  ["Hello, World 123", "helloworld", "Left out: “,”, space, “1” and others; models know a to z."],
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

test("rows that cancel leave nothing to normalise", () => {
  const [a, b] = [rowAt(1.2, -0.7), rowAt(-1.2, 0.7)];
  assert.equal(
    normInWords(a, b),
    "Correlation of a and b −1.00. Their sum is 0: the exact norm has nothing to normalise, and of the approximate form nothing is left.",
  );
  assert.match(normInWords(a, rowAt(-1.2, 0.6)), /standard deviation 0\.06: the exact norm multiplies it by 17\.32; /);
});

test("memories of the same size are named together", () => {
  const memories = [1064, 520, 520].map((bytes, place) => ({ name: "ABC"[place], bytes }));
  assert.equal(
    memoriesInWords(1, memories),
    "After 1 token the A holds most, 1,064 bytes; the B and the C least, 520 bytes.",
  );
  assert.equal(memoriesInWords(2, memories.slice(1)), "After 2 tokens all hold 520 bytes.");
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
