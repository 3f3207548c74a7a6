// What is said of memories that fill, in words.

import { counted } from "./dom.js";

/**
 * Which memory is the largest and which the smallest; several may hold as much.
 * @param {number} tokens
 * @param {{name: string, bytes: number}[]} memories
 */
export function memoriesInWords(tokens, memories) {
  const bytes = memories.map((memory) => memory.bytes);
  const [least, most] = [Math.min(...bytes), Math.max(...bytes)];
  const after = `After ${counted(tokens, "token")}`;
  if (least === most) return `${after} all hold ${counted(most, "byte")}.`;
  const [small, large] = [least, most].map((held) =>
    memories.filter((memory) => memory.bytes === held).map(({ name }) => `the ${name}`),
  );
  return (
    `${after} ${large.join(" and ")} ${large.length > 1 ? "hold" : "holds"} most, ${counted(most, "byte")}; ` +
    `${small.join(" and ")} least, ${counted(least, "byte")}.`
  );
}
