// Draws a page's stored plotly figures, each when it comes near the window. plotly.js (5 MB) is fetched once, for the
// first of them, so that a page without figures, or one nobody scrolls, never loads it.
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

async function draw(figure) {
  if (figure.dataset.state) return;
  figure.dataset.state = "drawing";
  const plot = figure.querySelector(".plot");
  try {
    const { data, layout } = JSON.parse(figure.querySelector("script").textContent);
    await (await loadPlotly()).newPlot(plot, data, layout, { responsive: true, displaylogo: false });
    figure.dataset.state = "drawn";
  } catch (error) {
    // The picture that pages without JavaScript show; then let the error be seen.
    plot.innerHTML = figure.querySelector("noscript").textContent;
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
