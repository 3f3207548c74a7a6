// Copies with pairs dropped and receivers moved, and the maps of their pairs, against the library's numbers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { copyEdited, movedRows } from "../../../crn_lib/course/frontend/edited_copy.js";
import { SequenceModel } from "../../../crn_lib/course/frontend/model.js";
import { argmin, pairsOfRows } from "../../../crn_lib/course/frontend/pairs.js";
import { assertClose } from "./close.js";

const folder = process.env.NUMBERS ?? "";
const cases = JSON.parse(readFileSync(join(folder, "edited.json"), "utf8"));
const MAPS = /** @type {const} */ (["correlation", "scale", "share"]);

for (const wanted of cases) {
  const model = new SequenceModel(readFileSync(join(folder, `${wanted.model}.safetensors`)));
  const edits = {
    dropped: wanted.dropped.map((/** @type {[number, number][]} */ rows) => new Map(rows)),
    moved: wanted.moved.map((/** @type {[number, number][]} */ rows) => new Map(rows)),
    donor: wanted.donor,
  };

  test(`${wanted.name}: what is written and every row's logits agree`, () => {
    const copy = copyEdited(model, wanted.text, edits);
    assert.equal(copy.written.map(({ letter }) => letter).join(""), wanted.written);
    assert.equal(copy.heard, `<${wanted.text}|${wanted.written.slice(0, -1)}`);
    copy.logits.forEach((row, number) => {
      assertClose(row, wanted.logits[number], `logits of row ${number}`);
    });
  });

  test(`${wanted.name}: correlation, scale and share of every pair agree`, () => {
    const copy = copyEdited(model, wanted.text, edits);
    for (const [block, maps] of wanted.maps.entries()) {
      const rows = pairsOfRows(copy.receivers[block], copy.senders[block], model.config.heads);
      rows.forEach((row, number) => {
        for (const name of MAPS) assertClose(row[name], maps[name][number], `block ${block}, ${name} of row ${number}`);
      });
      assert.deepEqual(
        rows.map((row) => argmin(row.correlation)),
        maps.opposed,
      );
    }
  });
}

test("a copy that goes on from the last one is the same, and compares only rows that changed", () => {
  const model = new SequenceModel(readFileSync(join(folder, "causal_rn.safetensors")));
  /** @type {(...rows: [number, number][]) => Map<number, number>} */
  const rows = (...pairs) => new Map(pairs);
  const none = { dropped: [rows(), rows()], moved: [rows(), rows()], donor: "zebraquagga" };
  const steps = [
    none,
    { ...none, dropped: [rows(), rows([3, 4])] },
    { ...none, dropped: [rows([9, 2]), rows([3, 4])], moved: [rows([5, 7]), rows()] },
    { ...none, moved: [movedRows(11, 1), rows()] },
    { ...none, moved: [movedRows(11, 1), rows()], donor: "quickbrownf" },
    { ...none, moved: [rows(), rows([10, 0])] },
    { ...none, moved: [rows(), rows([10, 0])] },
  ];
  /** @type {import("../../../crn_lib/course/frontend/edited_copy.js").EditedCopy | undefined} */
  let last;
  /** @type {ReturnType<typeof pairsOfRows>[]} */
  let pairs = [];
  for (const edits of steps) {
    const anew = copyEdited(model, "zebraquagga", edits);
    last = copyEdited(model, "zebraquagga", edits, last);
    assert.deepEqual([last.heard, last.written, last.logits], [anew.heard, anew.written, anew.logits]);
    pairs = last.receivers.map((receivers, block) => {
      const known = last?.same[block].map((same, row) => (same ? pairs[block][row] : undefined));
      return pairsOfRows(receivers, anew.senders[block], 1, known);
    });
    const wanted = anew.receivers.map((receivers, block) => pairsOfRows(receivers, anew.senders[block], 1));
    assert.deepEqual(pairs, wanted);
  }
  assert.ok(last?.same.flat().every(Boolean), "nothing was changed at last");
  last = copyEdited(model, "zebraquagga", { ...none, moved: [rows(), rows([10, 1])] }, last);
  assert.deepEqual(last.same[1].indexOf(false), 10);
  const other = copyEdited(model, "quagga", none, last);
  assert.deepEqual(other.logits, copyEdited(model, "quagga", none).logits);
});

test("rows are moved only where both rows write a letter", () => {
  assert.deepEqual([...movedRows(4, 1)], [[0, 1], [1, 2], [2, 3]]); // biome-ignore format: a table
  assert.deepEqual([...movedRows(4, -3)], [[3, 0]]);
  assert.deepEqual([...movedRows(2, 0).keys()], [0, 1]);
});
