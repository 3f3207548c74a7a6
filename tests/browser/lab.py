"""A JupyterLab of its own, isolated from the user's settings, and a browser with lessons in it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import BrowserContext, Page, sync_playwright

from crn_lib.paths import workbook_folder
from crn_lib.workbook.site.pages import makes_control
from tests.browser.needed import needed_cells
from tests.requirements import find_browser
from tests.waiting import PATIENCE, wait_until

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Clicking Run before the kernel is connected does nothing, so wait for the session itself.
WAIT_FOR_KERNEL = """async () => {
  const widget = window.jupyterapp.shell.currentWidget;
  await widget.context.ready; await widget.sessionContext.ready;
  const kernel = widget.sessionContext.session.kernel; await kernel.info;
  while (kernel.status !== 'idle' || kernel.connectionStatus !== 'connected')
    await new Promise(resolve => setTimeout(resolve, 100));
}"""
END_KERNEL = "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }"
# anywidget 0.11 gives a figure two seconds to load plotly, and else drops every later message to it: a busy machine has
# figures that stay empty.
PATIENT_FIGURES = f"""{{
  const timeout = AbortSignal.timeout;
  AbortSignal.timeout = ms => timeout.call(AbortSignal, Math.max(ms, {1000 * PATIENCE}));
}}"""
RUN_ALL = "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }"


@contextmanager
def jupyterlab(root: Path, program: str = "jupyterlab", *flags: str) -> Iterator[str]:
    """Start JupyterLab, or another of Jupyter's servers, in a folder; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    temporary = Path(tempfile.mkdtemp())
    settings = temporary / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}  # no pop-up over the page
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "run",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    environment = os.environ | {name: str(temporary / folder) for name, folder in folders.items()}
    command = [sys.executable, "-m", program, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password="]
    command += [f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True"]
    command += [f"--MappingKernelManager.kernel_info_timeout={PATIENCE}", *flags]
    with (temporary / "lab.log").open("w") as log:
        server = subprocess.Popen(command, cwd=root, env=environment, start_new_session=True, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(address, server, temporary / "lab.log")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(PATIENCE)
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def chromium() -> Iterator[BrowserContext]:
    """Headless Chromium with a profile of its own; its pages wait patiently for whatever they wait for."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            profile,
            headless=True,
            executable_path=find_browser(),
            args=CHROMIUM_FLAGS,
            viewport={"width": 1200, "height": 1000},
        )
        context.set_default_timeout(1000 * PATIENCE)
        context.add_init_script(PATIENT_FIGURES)
        try:
            yield context
        finally:
            context.close()


@dataclass(frozen=True)
class Lab:
    """JupyterLab on a folder, and a browser for it."""

    root: Path
    address: str
    browser: BrowserContext

    @contextmanager
    def lesson(self, name: str) -> Iterator[Page]:
        """The lesson of this name in a copy of the workbook of its own, in the profile smoke.

        Run are the cells that its controls and quizzes need. That all cells run is what tests/notebooks/ sees.
        """
        workbook = self.root / name
        for folder in ("notebooks", "figures"):
            shutil.copytree(workbook_folder() / folder, workbook / folder)
        shutil.copy(workbook_folder() / "pyproject.toml", workbook)
        lesson = workbook / "notebooks" / f"{name}.ipynb"
        _shorten(lesson)
        with self.browser.new_page() as page:
            page.goto(f"{self.address}/lab/tree/{name}/notebooks/{name}.ipynb?reset")
            page.wait_for_selector(".jp-Notebook .jp-Cell")
            page.evaluate(WAIT_FOR_KERNEL)
            page.evaluate(RUN_ALL)
            yield page
            page.evaluate(END_KERNEL)


def _shorten(lesson: Path) -> None:
    """The smallest profile, without the cells that no control needs."""
    notebook = nbformat.read(lesson, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    needed = needed_cells(
        [cell.source for cell in code],
        lambda source: makes_control(source) or "course.quiz(" in source or "course.begin(" in source,
    )
    left_out = [id(cell) for number, cell in enumerate(code) if number not in needed]
    notebook.cells = [cell for cell in notebook.cells if id(cell) not in left_out]
    (parameters,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    assert 'profile = "laptop"' in parameters.source
    parameters.source = parameters.source.replace('profile = "laptop"', 'profile = "smoke"')
    nbformat.write(notebook, lesson)


def _wait_until_up(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    def answers() -> bool:
        if server.poll() is not None:
            raise RuntimeError(f"JupyterLab ended at once:\n{log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=PATIENCE)
        except OSError:
            return False
        return True

    wait_until(answers)
