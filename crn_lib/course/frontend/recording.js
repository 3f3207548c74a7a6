// Recorded figures, unpacked: what `crn_lib.course.recorded.record` packed.

/** @typedef {{data: Record<string, any>[], layout: Record<string, any>}} Figure */

/**
 * @param {string} packed
 * @returns {Promise<(setting: number) => Figure | string>} the figure of a setting, or why there is none
 */
export async function decode(packed) {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const { paths, parts, settings } = JSON.parse(await new Response(stream).text());
  return (setting) => {
    const picked = settings[setting];
    if (typeof picked === "string") return picked;
    /** @type {Figure} */
    const figure = { data: [], layout: {} };
    paths.forEach((/** @type {string} */ path, /** @type {number} */ place) => {
      if (picked[place] < 0) return;
      // A copy: plotly writes into what it draws.
      const part = structuredClone(parts[place][picked[place]]);
      const [where, ...names] = path.split(".");
      if (where === "layout") figure.layout[names.join(".")] = part;
      else {
        const trace = Number(names[0]);
        figure.data[trace] ??= {};
        figure.data[trace][names.slice(1).join(".")] = part;
      }
    });
    return figure;
  };
}
