// A string copied freely while some rows miss a sender or have another row's receiver: `crn_lib.analysis.copy_without`.
// A row is a token that is written: row 0 stands on SEP and writes the first letter, the last one writes EOS.

import { EOS, letterOf, promptOf } from "./copy.js";
import { argmax, softmax } from "./numbers.js";

/** @typedef {import("./model.js").SequenceModel} SequenceModel */
/** @typedef {import("./pool.js").Pool} Pool */

/**
 * @typedef {object} Edits
 * @property {Map<number, number>[]} dropped of each block, by row, the position of the sender that the row does not see
 * @property {Map<number, number>[]} moved of each block, by row, the row whose receiver it gets
 * @property {string} donor the text whose receivers those are
 */

/**
 * @typedef {object} EditedCopy
 * @property {string} text what was to be copied
 * @property {string} heard what stands at every position: the text between BOS and SEP, then what was written
 * @property {{letter: string, right: boolean, probability: number}[]} written by every row
 * @property {Float32Array[][]} receivers of each block, by row, as they were used
 * @property {Pool[]} senders of each block
 * @property {Float32Array[]} logits by row
 * @property {boolean[][]} same of each block, by row: its receiver and all senders that it sees are the last copy's
 * @property {SequenceModel} model
 * @property {Edits} edits as they were
 * @property {number[]} tokens that were heard
 * @property {import("./model.js").DecodingState} state after the last row; the next copy may go on from a part of it
 */

/** @type {WeakMap<SequenceModel, {donor: string, found: Float32Array[][]}>} the last donor's, which a drag asks for again and again */
const donors = new WeakMap();

/**
 * @param {SequenceModel} model a CausalRN
 * @param {string} text letters a to z
 * @param {Edits} edits
 * @param {EditedCopy} [last] what it has in common with this one is not computed again. Its senders change
 * @returns {EditedCopy}
 */
export function copyEdited(model, text, edits, last) {
  const { dropped, moved, donor } = edits;
  const prompt = promptOf(text);
  const first = prompt.length - 1;
  const given = moved.some((rows) => rows.size) ? receiversOf(model, donor) : [];
  const before = last?.model === model && last.text === text ? last : undefined;
  const kept = before ? firstChange(before.edits, edits, text.length + 1) : 0;
  const state = before?.state ?? model.newState();
  const senders = /** @type {Pool[]} */ (state.blocks);
  const sendersBefore = senders.map((pool) => pool.buffer.slice());
  if (before) {
    state.position = first + kept;
    for (const pool of senders) pool.forget(state.position);
  }
  const receivers = model.blocks.map((_, block) => before?.receivers[block].slice(0, kept) ?? []);
  const written = before?.written.slice(0, kept) ?? [];
  const logits = before?.logits.slice(0, kept) ?? [];
  const tokens = before?.tokens.slice(0, first + kept + 1) ?? [...prompt];
  while (state.position <= first + text.length) {
    const row = state.position - first;
    const step = model.step(
      tokens[state.position],
      state,
      model.blocks.map((_, block) => ({
        missing: dropped[block]?.get(row),
        receiver: (/** @type {Float32Array} */ own) => {
          const from = moved[block]?.get(row);
          const used = from === undefined ? own : given[block][from];
          if (row >= 0) receivers[block].push(used);
          return used;
        },
      })),
    );
    if (row < 0) continue;
    const next = argmax(step.logits);
    const wanted = row < text.length ? prompt[row + 1] : EOS;
    written.push({ letter: letterOf(next), right: next === wanted, probability: softmax(step.logits)[next] });
    logits.push(step.logits);
    if (row < text.length) tokens.push(next);
  }
  const same = receivers.map((rows, block) => {
    let senderToo = before !== undefined;
    return rows.map((receiver, row) => {
      const own = senders[block].row(first + row);
      senderToo &&= equal(own, sendersBefore[block].subarray((first + row) * own.length));
      return senderToo && equal(receiver, before?.receivers[block][row] ?? []);
    });
  });
  const copied = { ...edits, dropped: dropped.map((rows) => new Map(rows)), moved: moved.map((rows) => new Map(rows)) };
  const heard = tokens.map(letterOf).join("");
  return { text, heard, written, receivers, senders, logits, same, model, edits: copied, tokens, state };
}

/**
 * The first row that is edited otherwise.
 * @param {Edits} before
 * @param {Edits} now
 * @param {number} rows
 */
function firstChange(before, now, rows) {
  const others = before.donor !== now.donor;
  for (let row = 0; row < rows; row++) {
    const alike = now.dropped.every((_, block) => {
      const [from, to] = [before, now].map(({ moved }) => moved[block].get(row));
      return (
        before.dropped[block].get(row) === now.dropped[block].get(row) && from === to && !(others && to !== undefined)
      );
    });
    if (!alike) return row;
  }
  return rows;
}

/**
 * Whether a row is what another begins with.
 * @param {ArrayLike<number>} row
 * @param {ArrayLike<number>} other
 */
function equal(row, other) {
  for (let d = 0; d < row.length; d++) if (row[d] !== other[d]) return false;
  return true;
}

/**
 * The receivers of every row, by block, in a run on a text and its copy.
 * @param {SequenceModel} model
 * @param {string} text
 */
function receiversOf(model, text) {
  const last = donors.get(model);
  if (last?.donor === text) return last.found;
  const prompt = promptOf(text);
  const state = model.newState();
  const found = model.blocks.map(() => /** @type {Float32Array[]} */ ([]));
  for (const [position, token] of [...prompt, ...prompt.slice(1, -1)].entries()) {
    const look = found.map((rows) => ({
      receiver: (/** @type {Float32Array} */ own) => {
        if (position >= prompt.length - 1) rows.push(own);
        return own;
      },
    }));
    model.step(token, state, look);
  }
  donors.set(model, { donor: text, found });
  return found;
}

/**
 * The rows that get the receiver of the row `shift` further, where both write a letter, as `crn_lib.analysis.moved_rows`.
 * @param {number} letters
 * @param {number} shift
 * @returns {Map<number, number>} by row the other
 */
export function movedRows(letters, shift) {
  const rows = Array.from({ length: letters }, (_, row) => row);
  return new Map(rows.filter((row) => row + shift >= 0 && row + shift < letters).map((row) => [row, row + shift]));
}
