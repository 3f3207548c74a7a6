// The copying task in the page: what was typed, as letters a model can read, and every step of its being copied.

import { argmax, softmax } from "./numbers.js";
import { Pool, RunningSum } from "./pool.js";

/** @typedef {import("./model.js").SequenceModel} SequenceModel */

const BOS = 0;
const SEP = 1;
export const EOS = 2;
const FIRST_LETTER = 3;

/** @param {number} token */
export function letterOf(token) {
  return token < FIRST_LETTER ? "<|>"[token] : String.fromCharCode(97 + token - FIRST_LETTER);
}

/** @param {string} letter */
function tokenOf(letter) {
  return letter.charCodeAt(0) - 97 + FIRST_LETTER;
}

/**
 * What is read before the first letter is written: the text between BOS and SEP.
 * @param {string} text letters a to z
 */
export function promptOf(text) {
  return [BOS, ...Array.from(text, tokenOf), SEP];
}

/**
 * What of the typed text can be copied, and what became of the rest, in words.
 * @param {string} typed
 * @param {number} longest letters
 * @returns {{text: string, said: string}}
 */
export function understand(typed, longest) {
  const said = [];
  const lower = typed.toLowerCase();
  const letters = Array.from(lower).filter((character) => character >= "a" && character <= "z");
  const others = Array.from(lower).filter((character) => !(character >= "a" && character <= "z"));
  if (letters.length > longest) {
    said.push(`Copied: the first ${longest} of your ${letters.length} letters, the most that training had.`);
  }
  if (others.length) {
    const names = [...new Set(others.map((character) => (character.trim() ? `“${character}”` : "space")))];
    const more = names.length > 3 ? " and others" : "";
    said.push(`Left out: ${names.slice(0, 3).join(", ")}${more}; models know a to z.`);
  }
  if (!letters.length) said.push("Nothing to copy: type a letter from a to z.");
  else if (lower !== typed && said.length < 2) said.push("Capitals are read as small letters.");
  return { text: letters.slice(0, longest).join(""), said: said.join(" ") };
}

/**
 * @typedef {object} Step one token read
 * @property {number} bytes that the memory holds after it
 * @property {number} rows of memory in each block
 * @property {Float32Array[]} [sums] the running sums of each block, where that is the memory
 */

/**
 * @typedef {object} Copy
 * @property {string} text what was to be copied
 * @property {Step[]} steps the string with BOS and SEP, then what was written, but for the last token, which nothing follows
 * @property {{letter: string, right: boolean, probability: number}[]} written as many as the text has letters, and EOS
 * @property {Pool[][]} pools of each block, where rows are kept: one, or keys and values
 * @property {import("./model.js").DecodingState} state after the last step; the next copy may go on from a part of it
 */

/**
 * Let a model copy a text freely: it reads what it wrote itself. As `crn_lib.tasks.trace_copy`.
 * @param {SequenceModel} model
 * @param {string} text letters a to z
 * @param {Copy} [before] the model's last copy: what both texts begin with is not read again. Its pools change
 * @returns {Copy}
 */
export function traceCopy(model, text, before) {
  const prompt = promptOf(text);
  const state = before?.state ?? model.newState();
  const steps = before?.steps.slice(0, sameTokens(promptOf(before.text), prompt)) ?? [];
  for (const [block, held] of state.blocks.entries()) {
    if (!(held instanceof RunningSum)) held.forget(steps.length);
    else if (before) held.forget(steps.length, steps[steps.length - 1].sums?.[block] ?? held.logSum);
  }
  state.position = steps.length;
  /** @type {Copy["written"]} */
  const written = [];
  for (let next = BOS, read = steps.length; read < 2 * text.length + 2; read++) {
    const { logits } = model.step(read < prompt.length ? prompt[read] : next, state);
    const sums = state.blocks.flatMap((block) => (block instanceof RunningSum ? [block.logSum.slice()] : []));
    steps.push({ bytes: state.bytesUsed, rows: state.position, ...(sums.length && { sums }) });
    if (read < prompt.length - 1) continue;
    next = argmax(logits);
    const wanted = written.length < text.length ? prompt[written.length + 1] : EOS;
    written.push({ letter: letterOf(next), right: next === wanted, probability: softmax(logits)[next] });
  }
  const pools = state.blocks.map((block) => {
    if (block instanceof Pool) return [block];
    return "keys" in block ? [block.keys, block.values] : [];
  });
  return { text, steps, written, pools, state };
}

/**
 * How many tokens two prompts begin with alike; never all of the second: its last one gives the first letter.
 * @param {number[]} before
 * @param {number[]} now
 */
function sameTokens(before, now) {
  let same = 0;
  while (same < now.length - 1 && before[same] === now[same]) same++;
  return same;
}
