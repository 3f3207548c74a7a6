"""What the controls of a lesson lack in JupyterLab for who works without a mouse or without good sight."""

import anywidget


class Reachable(anywidget.AnyWidget):
    """An invisible part of a widget which leaves the keys typed in that widget to its controls, and names these.

    Outside of text fields JupyterLab reads keys as commands to the notebook: in a drop-down list the arrows would go to
    the next cell instead of the next entry, and typing `x` would cut the cell. ipywidgets gives the handle of a slider
    and the buttons of `Play` no name that a screen reader could say.
    The handle's edge is all that is seen of it in the light theme, 1.4 to 1 against the page, and it is 16 pixels wide.
    """

    _css = """
    .jp-OutputArea-output .widget-slider .noUi-handle { border-color: #767c85; }
    .jp-OutputArea-output .widget-slider .noUi-touch-area {
        position: absolute; inset: -5px; width: auto; height: auto;
    }
    """

    # JupyterLab looks for the attribute on the element that has the focus. Controls may be drawn later than this.
    _esm = """
    const play = "play or pause";
    const buttons = { "fa-play": play, "fa-pause": play, "fa-stop": "stop", "fa-retweet": "repeat" };

    function name(area) {
      for (const handle of area.querySelectorAll(".noUi-handle:not([aria-label])")) {
        const label = handle.closest(".widget-slider")?.querySelector(".widget-label")?.textContent;
        handle.setAttribute("aria-label", label || "value");
      }
      for (const button of area.querySelectorAll(".widget-play button:not([aria-label])")) {
        const icon = Object.keys(buttons).find(icon => button.querySelector("." + icon));
        if (icon) button.setAttribute("aria-label", buttons[icon]);
      }
    }

    function render({ el }) {
      let observer;
      const begin = () => {
        const area = el.closest(".jp-OutputArea-output");
        if (!area) return;
        area.addEventListener("focusin", ({ target }) => {
          if (!target.matches(":read-write")) target.setAttribute("data-lm-suppress-shortcuts", "true");
        });
        observer = new MutationObserver(() => name(area));
        observer.observe(area, { childList: true, subtree: true });
        name(area);
      };
      el.isConnected ? begin() : requestAnimationFrame(begin);
      return () => observer?.disconnect();
    }
    export default { render };
    """
