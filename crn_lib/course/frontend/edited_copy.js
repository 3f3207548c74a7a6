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
 */

/** @type {WeakMap<SequenceModel, {donor: string, found: Float32Array[][]}>} the last donor's, which a drag asks for again and again */
const donors = new WeakMap();

/**
 * @param {SequenceModel} model a CausalRN
 * @param {string} text letters a to z
 * @param {Edits} edits
 * @returns {EditedCopy}
 */
export function copyEdited(model, text, { dropped, moved, donor }) {
  const prompt = promptOf(text);
  const first = prompt.length - 1;
  const given = moved.some((rows) => rows.size) ? receiversOf(model, donor) : [];
  const state = model.newState();
  const receivers = model.blocks.map(() => /** @type {Float32Array[]} */ ([]));
  const [written, logits, heard] = [
    /** @type {EditedCopy["written"]} */ ([]),
    /** @type {Float32Array[]} */ ([]),
    [...prompt],
  ];
  for (let position = 0; position <= first + text.length; position++) {
    const row = position - first;
    const edits = model.blocks.map((_, block) => ({
      missing: dropped[block]?.get(row),
      receiver: (/** @type {Float32Array} */ own) => {
        const from = moved[block]?.get(row);
        const used = from === undefined ? own : given[block][from];
        if (row >= 0) receivers[block].push(used);
        return used;
      },
    }));
    const step = model.step(heard[position], state, edits);
    if (row < 0) continue;
    const next = argmax(step.logits);
    const wanted = row < text.length ? prompt[row + 1] : EOS;
    written.push({ letter: letterOf(next), right: next === wanted, probability: softmax(step.logits)[next] });
    logits.push(step.logits);
    if (row < text.length) heard.push(next);
  }
  const senders = /** @type {Pool[]} */ (state.blocks);
  return { text, heard: heard.map(letterOf).join(""), written, receivers, senders, logits };
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
