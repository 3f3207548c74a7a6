// Reads a safetensors file: eight bytes of length, a header in JSON, then the numbers.

/** @typedef {{shape: number[], data: Float32Array}} Tensor */
/** @typedef {{metadata: Record<string, string>, tensors: Map<string, Tensor>}} TensorFile */

/**
 * @param {ArrayBuffer | ArrayBufferView} bytes a whole file
 * @returns {TensorFile}
 * @throws {Error} it is no safetensors file, is cut off, or holds other numbers than float32
 */
export function readSafetensors(bytes) {
  const view = ArrayBuffer.isView(bytes)
    ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new DataView(bytes);
  const length = view.byteLength < 8 ? -1 : Number(view.getBigUint64(0, true));
  if (length < 2 || 8 + length > view.byteLength) throw new Error("this is no safetensors file");
  const start = view.byteOffset + 8 + length;
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + 8, length)));
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = new Map();
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of Object.entries(entries)) {
    const size = shape.reduce((/** @type {number} */ product, /** @type {number} */ side) => product * side, 1);
    if (dtype !== "F32") throw new Error(`${name} holds ${dtype}; only float32 (F32) is read here`);
    if (to - from !== 4 * size || start - view.byteOffset + to > view.byteLength) {
      throw new Error(`the safetensors file ends before ${name} does`);
    }
    // A copy, since a view must start at a multiple of four, and what a kernel sends may start anywhere.
    tensors.set(name, { shape, data: new Float32Array(view.buffer.slice(start + from, start + to)) });
  }
  return { metadata, tensors };
}
