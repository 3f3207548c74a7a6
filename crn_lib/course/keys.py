"""Keys for the controls of a lesson: without this, JupyterLab takes them for its own shortcuts."""

import anywidget


class KeepKeys(anywidget.AnyWidget):
    """An invisible part of a widget which leaves the keys typed in that widget to its controls.

    Outside of text fields JupyterLab reads keys as commands to the notebook: in a drop-down list the arrows would go to
    the next cell instead of the next entry, and typing `x` would cut the cell.
    """

    # JupyterLab looks for the attribute on the element that has the focus, which may be drawn later than this.
    _esm = """
    function render({ el }) {
      const guard = () => el.closest(".jp-OutputArea-output")?.addEventListener("focusin", ({ target }) => {
        if (!target.matches(":read-write")) target.setAttribute("data-lm-suppress-shortcuts", "true");
      });
      el.isConnected ? guard() : requestAnimationFrame(guard);
    }
    export default { render };
    """
