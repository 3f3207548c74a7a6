"""JavaScript that computes in the page: in JupyterLab through anywidget, and in the static edition through `host.js`.

Each module that draws (`MODULES`) is an anywidget front-end module, `export default { render({ model, el }) }`. Both
places take it as one text, so what it imports is put before it; nothing else is done to the files.
"""

import base64
import dataclasses
import json
import math
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from safetensors.torch import save

from crn_lib.config import require_choice
from crn_lib.models import SequenceModel
from crn_lib.paths import data_file
from crn_lib.training import load_model

FOLDER = Path(__file__).parent
ALIVE_MIME = "application/vnd.crn-alive+json"
"""What a stored lesson keeps of a control that computes in the page: its module, and the state to mount it with."""

WITHOUT_KERNEL = "A control stands here: run this cell, or open the static edition."
"""What is shown in its place where neither a kernel nor the page's script is."""

MODULES = ("copier", "relation_map", "sampled", "pair", "plane", "memory", "train", "line")
WORKERS = ("train_worker",)
"""Scripts for a Web Worker, which a module is given the text of: a page opened from a disk can load none."""

SHARED_STYLE = "widget"
SHIPPED = ("causal_rn", "transformer", "linear_rn")
"""Kinds of which a small trained model ships, made by `scripts/train_page_models.py`."""

LINE_KINDS = ("causal_rn", "transformer")
"""Kinds of which a model of points on lines lies among the stored rows, by `scripts/store_lesson_models.py`."""

EXPORT = "export default { render };"
IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.MULTILINE)


@cache
def module_text(name: str) -> str:
    """A module and before it, once each, what it imports: one text without imports.

    The files share one scope then. Two that declare the same name would be a syntax error in the browser and in node.
    """
    files: list[str] = []

    def visit(file: str) -> None:
        if file not in files:
            text = (FOLDER / file).read_text(encoding="utf-8")
            for imported in IMPORT.findall(text):
                visit(imported)
            files.append(file)

    visit(f"{name}.js")
    texts = [IMPORT.sub("", (FOLDER / file).read_text(encoding="utf-8")) for file in files]
    inner = [re.sub(r"^export (?!default)", "", text, flags=re.MULTILINE) for text in texts[:-1]]
    return "\n".join([*inner, texts[-1]])


def style_text(name: str) -> str:
    """A module's style sheet, behind what all widgets share."""
    return "".join((FOLDER / f"{part}.css").read_text(encoding="utf-8") for part in (SHARED_STYLE, name))


def shipped_model(kind: str) -> bytes:
    """The safetensors file of the trained model of this kind that ships with the library."""
    return (FOLDER / "models" / f"{kind}.safetensors").read_bytes()


def line_model(kind: str) -> SequenceModel:
    """The stored model of this kind that was trained on points of lines: reads single numbers, gives one.

    Raises:
        CheckpointError: its file is missing or damaged.
        WorkbookNotFound: there is no workbook that would have it.
    """
    return load_model(data_file("models") / f"line_{kind}.safetensors")


def shipped_row(kind: str) -> dict[str, Any]:
    """How that model was trained: the row that a sweep would store of the run, and its number of `parameters`."""
    data = shipped_model(kind)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    row: dict[str, Any] = json.loads(header.pop("__metadata__")["row"])
    return row | {"parameters": sum(math.prod(entry["shape"]) for entry in header.values())}


def model_bytes(model: SequenceModel, **header: str) -> bytes:
    """A model as `model.js` reads it: safetensors with its configuration, and more words, in the header."""
    tensors = {name: tensor.detach().cpu().float().contiguous() for name, tensor in model.state_dict().items()}
    return bytes(save(tensors, {"model": json.dumps(dataclasses.asdict(model.config)), **header}))


def carried(name: str) -> str:
    """A file as a script that brings it to a page opened from a disk: see `carry` in `host.js`.

    Args:
        name: one of `carried_names`.

    Raises:
        ConfigError: another name; the message lists them.
    """
    require_choice("the file that a page carries", name, carried_names())
    stem = name.rpartition(".")[0]
    if stem in MODULES:
        value = f'() => {{\n"use strict";\n{module_text(stem).replace(EXPORT, "return { render };")}}}'
    else:
        if stem in WORKERS:
            data = module_text(stem).encode()
        elif stem in SHIPPED:
            data = shipped_model(stem)
        else:
            data = model_bytes(line_model(stem.removeprefix("line_")))
        value = json.dumps(base64.b64encode(data).decode())
    return f'(window.crnCarried ??= []).push(["{name}", {value}]);\n'


def carried_for(module: str, kinds: Iterable[str] = ()) -> list[str]:
    """The files that a module needs with models of these kinds."""
    return [f"{module}.js", *(f"{kind}.safetensors" for kind in kinds)]


def carried_names() -> list[str]:
    """The files that a page's modules need."""
    models = (*SHIPPED, *(f"line_{kind}" for kind in LINE_KINDS))
    return [*(f"{name}.js" for name in (*MODULES, *WORKERS)), *(f"{name}.safetensors" for name in models)]
