// Draws a page's stored plotly figures, each when it comes near the window; until then its picture stands there. plotly.js
// (5 MB) is fetched once, for the first of them, so that a page without figures, or one nobody scrolls, never loads it.
"use strict";

const here = document.currentScript.src;
let plotly = null;

function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("plotly.min.js", here).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error(`${script.src} cannot be loaded`));
    document.head.append(script);
  });
  return plotly;
}

// When a picture is on the screen: the first figure holds the page up for half a second.
async function shown(picture) {
  if (window.Plotly) return;
  await picture?.decode().catch(() => {}); // one that is not there keeps nobody waiting
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

// A title of one line that is wider than its figure would be cut: the size of its letters gives way. And a finger that
// moves over a figure scrolls, as it does elsewhere: what a mouse zooms with, and the bar of such tools, are left out.
// Returns plotly's options.
function fitPage(layout, width) {
  const finger = window.matchMedia("(pointer: coarse)").matches;
  if (finger) layout.dragmode = false;
  const { text = "", font = {} } = layout.title ?? {};
  const brush = document.createElement("canvas").getContext("2d");
  const size = font.size ?? 15;
  let widest = 0;
  for (const [number, line] of text.split("<br>").entries()) {
    const small = line.includes("<sup>") || text.split("<br>", number).join().includes("<sup>") ? 0.7 : 1;
    brush.font = `${line.includes("<b>") ? "bold " : ""}${small * size}px ${layout.font?.family ?? "sans-serif"}`;
    widest = Math.max(widest, brush.measureText(line.replace(/<[^>]*>/g, "")).width);
  }
  const room = 0.96 * width; // a title begins at a fiftieth
  if (widest > room) layout.title.font = { ...font, size: (size * room) / widest };
  return { responsive: true, displaylogo: false, displayModeBar: finger ? false : "hover" };
}

async function draw(figure) {
  if (figure.dataset.state) return;
  figure.dataset.state = "drawing";
  const plot = figure.querySelector(".plot");
  const picture = plot.querySelector("img");
  try {
    await shown(picture);
    const { data, layout } = JSON.parse(figure.querySelector("script").textContent);
    const options = fitPage(layout, plot.clientWidth);
    const plotly = await loadPlotly();
    picture.remove();
    await plotly.newPlot(plot, data, layout, options);
    figure.dataset.state = "drawn";
  } catch (error) {
    plot.replaceChildren(picture); // then let the error be seen
    figure.dataset.state = "failed";
    throw error;
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const figures = document.querySelectorAll("figure.stored-figure");
  const near = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => draw(entry.target)),
    { rootMargin: "800px 0px" },
  );
  figures.forEach((figure) => near.observe(figure));
  window.addEventListener("beforeprint", () => figures.forEach(draw));
});
