// Rows in a plane against the library's numbers: a pair under three norms, and a dictionary read by cancellation.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { placeRow, readOut, senderRow } from "../../../crn_lib/course/frontend/dictionary_rows.js";
import { pointOf, preActivation, rowAt } from "../../../crn_lib/course/frontend/norm_places.js";
import { pairsOf } from "../../../crn_lib/course/frontend/pairs.js";
import { assertClose } from "./close.js";

const { pairs, dictionaries } = JSON.parse(readFileSync(join(process.env.NUMBERS ?? "", "rows.json"), "utf8"));

test("what the exponential sees of a pair agrees at the three places of the norm", () => {
  assert.equal(pairs.length, 4);
  for (const { points, rows, seen } of pairs) {
    const [a, b] = points.map((/** @type {[number, number]} */ [x, y]) => rowAt(x, y));
    assertClose([...a, ...b], rows.flat(), "rows");
    assertClose([...pointOf(a), ...pointOf(b)], points.flat(), "points");
    for (const place of /** @type {const} */ (["none", "approx", "exact"])) {
      assertClose(preActivation(a, b, place), seen[place], place);
    }
  }
});

test("rows, scales, shares and the output of a dictionary agree", () => {
  assert.equal(dictionaries.length, 3);
  for (const { width, size, receiver, places, wanted } of dictionaries) {
    const shape = { width, letters: places.length, size };
    const a = placeRow(receiver, width, places.length);
    const senders = places.map((/** @type {{x: number, y: number}} */ place, /** @type {number} */ letter) =>
      senderRow(place, letter, shape),
    );
    assertClose([...a, ...senders.flatMap((/** @type {Float32Array} */ row) => [...row])], wanted.rows.flat(), "rows");
    const { scale, share } = pairsOf(a, senders);
    assertClose(scale, wanted.scale, "scale");
    assertClose(share, wanted.share, "share");
    assertClose(readOut(a, senders), wanted.out, "output");
  }
});
