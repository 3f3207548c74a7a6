"""A JupyterLab of its own, isolated from the user's settings, and a page in it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from crn_lib.doctor import BROWSERS
from crn_lib.paths import workbook_folder

MAC_BROWSERS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
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
RUN_ALL = "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }"


def find_browser() -> str | None:
    """The browser's program, or `None`."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return found or next((path for path in MAC_BROWSERS if Path(path).exists()), None)


@contextmanager
def jupyterlab(root: Path) -> Iterator[str]:
    """Start JupyterLab on a folder; yields its address."""
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
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password="]
    command += [f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True"]
    with (temporary / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, start_new_session=True, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(address, server, temporary / "lab.log")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def browser_page(width: int = 1200, height: int = 1000) -> Iterator[Page]:
    """A page in headless Chromium, with a profile of its own."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            profile,
            headless=True,
            executable_path=find_browser(),
            args=CHROMIUM_FLAGS,
            viewport={"width": width, "height": height},
        )
        try:
            yield context.new_page()
        finally:
            context.close()


def open_notebook(page: Page, address: str, name: str) -> None:
    """Open a notebook and wait until its kernel is there."""
    page.goto(f"{address}/lab/tree/{name}?reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.evaluate(WAIT_FOR_KERNEL)


@contextmanager
def lesson_in_lab(root: Path, name: str) -> Iterator[Page]:
    """A copy of the workbook in the empty folder `root`, and its lesson `name` with all cells run, profile smoke."""
    for folder in ("notebooks", "figures"):
        # Kernels that run beside this test leave their sockets where they run.
        shutil.copytree(workbook_folder() / folder, root / folder, ignore=shutil.ignore_patterns("kernel-ipc-*"))
    lesson = root / "notebooks" / f"{name}.ipynb"
    lesson.write_text(lesson.read_text().replace('profile = \\"laptop\\"', 'profile = \\"smoke\\"'))
    assert 'profile = \\"smoke\\"' in lesson.read_text()
    with jupyterlab(root) as address, browser_page() as page:
        open_notebook(page, address, f"notebooks/{name}.ipynb")
        run_all_cells(page)
        yield page


def run_all_cells(page: Page) -> None:
    """Run all cells and wait for the last one."""
    page.set_default_timeout(180_000)
    page.evaluate(RUN_ALL)


def _wait_until_up(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"JupyterLab ended at once:\n{log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=2)
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not answer within 60 s:\n{log.read_text()[-2000:]}")
