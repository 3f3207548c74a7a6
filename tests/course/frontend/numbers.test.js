// Models in JavaScript against the library's numbers, which test_frontend.py has put where NUMBERS says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { traceCopy } from "../../../crn_lib/course/frontend/copy.js";
import { SequenceModel } from "../../../crn_lib/course/frontend/model.js";
import { assertClose } from "./close.js";

const folder = process.env.NUMBERS ?? "";
const cases = JSON.parse(readFileSync(join(folder, "numbers.json"), "utf8"));

for (const [name, wanted] of Object.entries(cases)) {
  const model = new SequenceModel(readFileSync(join(folder, `${name}.safetensors`)));

  test(`${name}: every block's stream, the logits and the bytes held agree at every token`, () => {
    const state = model.newState();
    for (const [place, token] of wanted.tokens.entries()) {
      const { logits, stream } = model.step(token, state);
      assert.equal(stream.length, wanted.streams[place].length);
      for (const [block, row] of stream.entries()) {
        assertClose(row, wanted.streams[place][block], `token ${place}, block ${block}`);
      }
      assertClose(logits, wanted.logits[place], `logits at token ${place}`);
      assert.equal(state.bytes, wanted.bytes[place], `bytes at token ${place}`);
    }
    assertClose(
      model.forward(wanted.tokens).flatMap((row) => [...row]),
      wanted.logits.flat(),
      "forward",
    );
  });

  test(`${name}: what it writes agrees, and how sure it is`, () => {
    assert.deepEqual(model.generate(wanted.prompt, wanted.written.length), wanted.generated);
    const copy = traceCopy(model, wanted.text);
    assert.equal(copy.written.map(({ letter }) => letter).join(""), wanted.written);
    assertClose(
      copy.written.map(({ probability }) => probability),
      wanted.probabilities,
      "probabilities",
    );
    const right = [...wanted.written].map((letter, place) => letter === `${wanted.text}>`[place]);
    assert.deepEqual(
      copy.written.map((said) => said.right),
      right,
    );
  });

  test(`${name}: a copy that goes on from the last one is the same, and reads only what is new`, () => {
    let [last, steps] = [traceCopy(model, ""), 0];
    const { step } = model;
    for (const [text, read] of /** @type {[string, number][]} */ ([
      ["zebra", 11],
      ["zebraq", 8],
      ["zebra", 6],
      ["xebra", 11],
    ])) {
      model.step = (...given) => {
        steps++;
        return step.apply(model, given);
      };
      steps = 0;
      last = traceCopy(model, text, last);
      assert.equal(steps, read, text);
      model.step = step;
      const anew = traceCopy(model, text);
      assert.deepEqual([last.written, last.steps], [anew.written, anew.steps]);
      assert.deepEqual(last.pools.flat().map(rowsOf), anew.pools.flat().map(rowsOf));
    }
  });

  test(`${name}: refuses what the library refuses`, () => {
    const state = model.newState();
    assert.throws(() => model.step(model.config.vocab_size, state), /token ids are 0 to/);
    for (let place = 0; place < model.config.max_length; place++) model.step(3, state);
    assert.throws(() => model.step(3, state), /positions are used up/);
  });
}

/** @param {import("../../../crn_lib/course/frontend/pool.js").Pool} pool */
function rowsOf(pool) {
  return Array.from({ length: pool.length }, (_, j) => pool.row(j));
}
