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
from tests.browser.needed import keep_needed
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
OPEN = """async path => {
  const widget = await window.jupyterapp.commands.execute('docmanager:open', { path });
  await widget.context.ready; await widget.sessionContext.ready;
  const kernel = widget.sessionContext.session.kernel; await kernel.info;
  while (kernel.status !== 'idle' || kernel.connectionStatus !== 'connected')
    await new Promise(resolve => setTimeout(resolve, 100));
}"""
CLOSE = """async () => {
  const widget = window.jupyterapp.shell.currentWidget;
  await widget.sessionContext.shutdown();
  widget.dispose();
}"""
# anywidget 0.11 gives a figure two seconds to load plotly, and else drops every later message to it: a busy machine has
# figures that stay empty.
PATIENT_FIGURES = f"""{{
  const timeout = AbortSignal.timeout;
  AbortSignal.timeout = ms => timeout.call(AbortSignal, Math.max(ms, {1000 * PATIENCE}));
}}"""
RUN_ALL = "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }"


@dataclass(frozen=True)
class Lab:
    """A page of JupyterLab on a folder. It stays open from lesson to lesson, since to load it takes seconds."""

    root: Path
    page: Page

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
        self.page.evaluate(OPEN, str(lesson.relative_to(self.root)))
        try:
            self.page.evaluate(RUN_ALL)
            yield self.page
        finally:
            self.page.evaluate(CLOSE)


@contextmanager
def open_lab(root: Path, browser: BrowserContext, environment: dict[str, str]) -> Iterator[Lab]:
    """JupyterLab on a folder, in a page of this browser."""
    with jupyterlab(root, **environment) as address, browser.new_page() as page:
        page.goto(f"{address}/lab?reset")
        page.wait_for_function("window.jupyterapp", polling=100)
        page.evaluate("() => window.jupyterapp.restored")
        yield Lab(root, page)


@contextmanager
def jupyterlab(root: Path, program: str = "jupyterlab", *flags: str, **environment: str) -> Iterator[str]:
    """Start JupyterLab, or another of Jupyter's servers, in a folder; yields its address.

    Args:
        environment: added to its environment.
    """
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
    variables = os.environ | environment | {name: str(temporary / folder) for name, folder in folders.items()}
    command = [sys.executable, "-m", program, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password="]
    command += [f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True"]
    command += [f"--MappingKernelManager.kernel_info_timeout={PATIENCE}", *flags]
    with (temporary / "lab.log").open("w") as log:
        server = subprocess.Popen(command, cwd=root, env=variables, start_new_session=True, stdout=log, stderr=log)
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


def _shorten(lesson: Path) -> None:
    """The smallest profile, without the cells that no control needs."""
    notebook = nbformat.read(lesson, as_version=4)
    quizzes = ("course.quiz(", "course.begin(")
    keep_needed(notebook, lambda cell: makes_control(cell.source) or any(one in cell.source for one in quizzes))
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
