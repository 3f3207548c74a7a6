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

const NARROW = 480; // pixels, of a phone; wider than that, a figure keeps its title and may scroll a little

// How wide the widest line of a title is, at its size.
function measureTitle({ text = "", font = {} }, family) {
  const brush = document.createElement("canvas").getContext("2d");
  const size = font.size ?? 15;
  let [widest, small] = [0, false];
  for (const line of text.split("<br>")) {
    small ||= line.includes("<sup>");
    brush.font = `${line.includes("<b>") ? "bold " : ""}${(small ? 0.7 : 1) * size}px ${family ?? "sans-serif"}`;
    widest = Math.max(widest, brush.measureText(line.replace(/<[^>]*>/g, "")).width);
  }
  return { size, widest };
}

// On a narrow screen, the title of a figure stands above it, where it wraps and does not scroll away.
// A figure of one panel fits the screen then, with its legend below; one of several panels, or with room for words at its
// sides, scrolls. Returns the title.
function fitNarrow(layout, plot) {
  const title = layout.title ?? {};
  const lines = (title.text ?? "").split("<br>").length;
  const cut = Math.max(0, Math.min(20 * lines, layout.margin.t - 24));
  layout.margin = { ...layout.margin, t: layout.margin.t - cut }; // anew: recorded figures share their parts
  layout.height -= cut;
  layout.title = {};
  const panels = Object.keys(layout).filter((name) => name.startsWith("xaxis")).length;
  const fits = panels === 1 && (layout.annotations ?? []).length < 3 && layout.margin.l + layout.margin.r <= 150;
  plot.classList.toggle("fits", fits);
  if (fits && layout.showlegend !== false && (layout.legend?.x ?? 1) >= 1 && layout.legend?.orientation !== "h") {
    layout.legend = { ...layout.legend, orientation: "h", x: 0, xanchor: "left", y: -0.22, yanchor: "top" };
    layout.height += 60;
  }
  const below = layout.xaxis?.title;
  if (fits && below?.text) {
    const { size, widest } = measureTitle(below, layout.font?.family);
    const room = plot.clientWidth - layout.margin.l;
    const fitted = { ...below, font: { ...below.font, size: Math.max(10, (size * room) / widest) } };
    if (widest > room) layout.xaxis = { ...layout.xaxis, title: fitted };
  }
  return title.text ?? "";
}

// A figure as it fits its page. A title of one line that is wider than its figure would be cut: the size of its letters
// gives way. And a finger that moves over a figure scrolls, as it does elsewhere: what a mouse zooms with, and the bar of
// such tools, are left out. Returns plotly's options, and the title if the page has to show it.
function fitPage(layout, plot) {
  const finger = window.matchMedia("(pointer: coarse)").matches;
  if (finger) layout.dragmode = false;
  const title = plot.parentElement.clientWidth < NARROW ? fitNarrow(layout, plot) : "";
  plot.style.height = `${layout.height}px`;
  if (layout.title?.text) {
    const { size, widest } = measureTitle(layout.title, layout.font?.family);
    const room = 0.96 * plot.clientWidth; // a title begins at a fiftieth
    if (widest > room) {
      layout.title = { ...layout.title, font: { ...layout.title.font, size: (size * room) / widest } };
    }
  }
  cueScrolling(plot.parentElement);
  return { title, options: { responsive: true, displaylogo: false, displayModeBar: finger ? false : "hover" } };
}

// What scrolls sideways says so: at an edge behind which there is more of it, it fades.
const SCROLLS = ".pst-scrollable-table-container, .cell_output .text_html, .tag_aligned .output.stream pre";
const cued = new WeakSet();
const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => showCue(target)));

function showCue(frame) {
  const more = frame.scrollWidth - frame.clientWidth;
  const edges = [frame.scrollLeft > 2 && "left", frame.scrollLeft < more - 2 && "right"].filter(Boolean);
  frame.dataset.more = edges.join(" ");
}

function cueScrolling(frame) {
  if (cued.has(frame)) return showCue(frame);
  cued.add(frame);
  frame.addEventListener("scroll", () => showCue(frame), { passive: true });
  resized.observe(frame);
}

async function draw(figure) {
  if (figure.dataset.state) return;
  figure.dataset.state = "drawing";
  const plot = figure.querySelector(".plot");
  const picture = plot.querySelector("img");
  try {
    await shown(picture);
    const { data, layout } = JSON.parse(figure.querySelector("script").textContent);
    const { title, options } = fitPage(layout, plot);
    const plotly = await loadPlotly();
    picture.remove();
    figure.querySelector(".plot-title").innerHTML = title;
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
  document.querySelectorAll(SCROLLS).forEach(cueScrolling);
  window.addEventListener("beforeprint", () => figures.forEach(draw));
});
