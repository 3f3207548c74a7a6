"""The modules that compute in a page: the same numbers as the library's, in node; one text for JupyterLab and pages."""

import copy
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import ipywidgets
import plotly.graph_objects as go
import pydata_sphinx_theme
import pytest
import torch
from playwright._impl._driver import compute_driver_executable

from crn_lib.analysis import (
    Moved,
    copy_sources,
    copy_without,
    drop,
    influence,
    most_opposed,
    relation_pairs,
    run_edited,
)
from crn_lib.analysis.retarget import moved_rows, receivers_of, receivers_replaced
from crn_lib.course import Copier, TrainInPage, frontend
from crn_lib.course.frontend import ALIVE_MIME
from crn_lib.course.recorded import record
from crn_lib.course.widgets.copier import copier_state
from crn_lib.models import ModelConfig, SequenceModel, build_model
from crn_lib.ops import pre_activation, relation
from crn_lib.ops.normalise import layer_norm
from crn_lib.tasks import trace_copy
from crn_lib.viz.theme import new_figure
from tests.course.frontend.fitted import fitted, line_models, of_three_numbers
from tests.course.frontend.shipped import TASK, shipped
from tests.course.frontend.training import training

NODE = compute_driver_executable()[0]
HERE = Path(__file__).parent
TEXT = "zebraquagga"
SHAPES: dict[str, dict[str, Any]] = {
    "wide_heads": {"kind": "causal_rn", "heads": 2, "expansion": 2, "positions": "none"},
    "no_post_norm": {"kind": "causal_rn", "post_norm": False},
    "linear_heads": {"kind": "linear_rn", "heads": 4},
    "attention_heads": {"kind": "transformer", "heads": 3},
}


def drawn(shape: dict[str, Any]) -> SequenceModel:
    """Random weights, far larger than a new model's: a new model's blocks add nearly nothing to the stream."""
    config = ModelConfig(width=24, blocks=2, max_length=66, **shape)
    model = build_model(config, generator=torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(2)
    for parameter in model.blocks.parameters():
        parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    return model


@torch.no_grad()
def numbers(model: SequenceModel) -> dict[str, Any]:
    """What node's tests compare with: 40 tokens one by one, so that every pool has grown; a string copied.

    Streams and logits are the library's in float64. In float32 it is up to 2e-4 from them at the second block of the
    trained Transformer, ten times as far as JavaScript, which takes its sums in float64.
    """
    tokens = torch.randint(29, (1, 40), generator=torch.Generator().manual_seed(3))
    wide = copy.deepcopy(model).double()
    streams, x = [], wide._embed(tokens)
    for block in wide.blocks:
        x = block(x)
        streams.append(x[0])
    logits = wide(tokens)[0]
    torch.testing.assert_close(wide.head(layer_norm(x))[0], logits)
    state, held = model.init_state(1), []
    for token in tokens[0]:
        _, state = model.step(token[None], state)
        held.append(state.nbytes)
    trace = trace_copy(model, TASK, TEXT)
    prompt = torch.tensor([[0, *TASK.encode(TEXT).tolist(), 1]])
    return {
        "tokens": tokens[0].tolist(),
        "streams": torch.stack(streams, dim=1).tolist(),
        "logits": logits.tolist(),
        "bytes": held,
        "text": TEXT,
        "prompt": prompt[0].tolist(),
        "generated": model.generate(prompt, len(TEXT) + 1)[0].tolist(),
        "written": trace.written,
        "probabilities": trace.probabilities,
    }


EDITS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "two pairs dropped": {"dropped": {(1, 3): 4, (0, 5): 2}},
    "next receivers": {"moved": Moved(1, TEXT)},
    "receivers of another string": {"moved": Moved(-2, "quickbrownf"), "dropped": {(1, 0): 0, (1, 8): 9}},
    "one row of one block": {"moved": Moved(3, TEXT, (1,)), "rows": [2]},
}


@torch.no_grad()
def edited(name: str, model: SequenceModel, edit: dict[str, Any]) -> dict[str, Any]:
    """A copy under edits, which node's tests compare with: as `copy_without` gives it, and the logits of its rows.

    In float64, as `numbers` says. `rows` leaves only some of the moved rows, which `copy_without` cannot.
    """
    model = copy.deepcopy(model).double()
    dropped, moved = edit.get("dropped", {}), edit.get("moved")
    where, blocks = copy_sources(len(TEXT)), range(len(model.blocks))
    rows = moved_rows(len(TEXT), moved.shift) if moved else None
    donor = TASK.lay_out(TASK.encode(moved.donor)[None], torch.tensor([len(TEXT)]))[0] if moved else None
    kept = (
        [n for n in range(len(rows.rows)) if n + max(0, -moved.shift) in edit.get("rows", range(99))] if moved else []
    )
    given, at = {}, torch.tensor([], dtype=torch.long)
    if moved:
        found, at = receivers_of(model, donor), rows.rows[kept]
        given = {block: found[block][:, rows.donors[kept]] for block in moved.blocks}
    with receivers_replaced(model, given, at):
        copied = copy_without(model, TASK, TEXT, dropped)
        senders = torch.full((len(blocks), 1, model.config.heads, len(where.rows)), -1)
        for (block, letter), sender in dropped.items():
            senders[block, :, :, letter] = sender
        logits = run_edited(model, copied.tokens[None], {b: drop(senders[b]) for b in blocks}, where.rows)
    if moved and "rows" not in edit:
        assert copy_without(model, TASK, TEXT, dropped, moved).written == copied.written
    first = len(TEXT) + 1
    shift = moved.shift if moved else 0
    by_block = [[(letter, sender) for (b, letter), sender in dropped.items() if b == block] for block in blocks]
    to = [(int(row) - first, int(row) - first + shift) for row in at]
    maps = []
    for pairs in copied.pairs:
        values = {"correlation": pairs.correlation, "scale": pairs.scale, "share": influence(pairs).share}
        seen = {key: [row[: first + n + 1] for n, row in enumerate(v[0, 0].tolist())] for key, v in values.items()}
        maps.append({**seen, "opposed": most_opposed(pairs)[0, 0].tolist()})
    return {
        "model": name,
        "text": TEXT,
        "dropped": by_block,
        "moved": [to if block in given else [] for block in blocks],
        "donor": moved.donor if moved else TEXT,
        "written": copied.written,
        "logits": logits[0, where.rows].tolist(),
        "maps": maps,
    }


def recorded() -> dict[str, Any]:
    """A figure recorded at all settings of its controls, and the figures themselves, one of them refused."""

    def draw(height: int, name: str, bent: bool) -> go.Figure:
        if height == 3 and bent:
            raise ValueError("too high")
        figure = new_figure(f"{name} of {height}", description="a line")
        figure.add_scatter(x=[0, 1], y=[0, height + 0.125])
        if bent:
            figure.add_bar(y=[height])
        return figure

    controls = {
        "height": ipywidgets.IntSlider(value=2, min=1, max=3, description="height (m)"),
        "name": ipywidgets.Dropdown(options=["tree", "house"], value="house"),
        "bent": ipywidgets.Checkbox(value=True),
    }
    settings = [(height, name, bent) for height in (1, 2, 3) for name in ("tree", "house") for bent in (False, True)]
    figures = [
        "too high" if setting[0] == 3 and setting[2] else json.loads(draw(*setting).to_json()) for setting in settings
    ]
    state = record(draw, controls)
    assert state["offered"] == len(settings) and [control["chosen"] for control in state["controls"]] == [1, 1, 1]
    assert [(own["words"], own["kind"]) for own in state["controls"]] == [
        ("height (m)", "slider"), ("name", "list"), ("bent", "tick"),
    ]  # fmt: skip
    assert state["controls"][0]["options"] == ["1", "2", "3"]
    return {"packed": state["packed"], "figures": figures}


def pairs() -> list[dict[str, Any]]:
    """Two rows of three numbers, and what the exponential sees of them."""
    axes = torch.tensor([[1.0, -1.0, 0.0], [1.0, 1.0, -2.0]], dtype=torch.float64)
    axes = axes / axes.norm(dim=1, keepdim=True)
    found = []
    for points in ([[2.0, 0.5], [-1.0, 1.5]], [[1.0, 1.0], [-1.0, -0.9]], [[0.3, -2.0], [0.3, -2.0]], [[3, 0], [0, 3]]):
        a, b = torch.tensor(points, dtype=torch.float64) @ axes
        seen = {norm: pre_activation(a, b, norm).tolist() for norm in ("none", "approx", "exact")}
        found.append({"points": points, "rows": [a.tolist(), b.tolist()], "seen": seen})
    return found


def dictionaries() -> list[dict[str, Any]]:
    """Receivers and senders of a dictionary whose places lie in a plane, their pairs, and what is read."""
    found = []
    for width, size, near in ((16, 0.3, 0.4), (64, 0.2, 0.05), (10, 0.5, 1.5)):
        angle = 2 * torch.pi * torch.arange(width - 4, dtype=torch.float64) / (width - 4)
        waves = torch.cat([torch.zeros(2, 4), torch.stack([angle.cos(), angle.sin()])], dim=1)
        waves = layer_norm(waves)
        places = torch.tensor([[1.0, 0.2], [-0.5, 1.2], [-0.8, -1.0], [0.9, -0.9]], dtype=torch.float64)
        receiver = places[1] + torch.tensor([near, 0.0])
        b = size * layer_norm(torch.eye(4, width, dtype=torch.float64)) - places @ waves
        a = (receiver @ waves).expand(4, width)
        own = relation_pairs(a[None], b[None], torch.tensor([3]), norm="exact", activation="exp", heads=1)
        wanted = {
            "rows": [a[0].tolist(), *b.tolist()],
            "scale": own.scale[0, 0, 0].tolist(),
            "share": influence(own).share[0, 0, 0].tolist(),
            "out": relation(a[None], b[None], norm="exact", activation="exp", backend="naive")[0, 3].tolist(),
        }
        at = [{"x": x, "y": y} for x, y in [receiver.tolist(), *places.tolist()]]
        found.append({"width": width, "size": size, "receiver": at[0], "places": at[1:], "wanted": wanted})
    return found


@pytest.fixture(scope="module")
def models() -> dict[str, SequenceModel]:
    return {kind: shipped(kind) for kind in frontend.SHIPPED} | {name: drawn(shape) for name, shape in SHAPES.items()}


def test_the_models_in_javascript_give_the_librarys_numbers(models: dict[str, SequenceModel], tmp_path: Path) -> None:
    for name, model in models.items():
        (tmp_path / f"{name}.safetensors").write_bytes(frontend.model_bytes(model))
    (tmp_path / "numbers.json").write_text(json.dumps({name: numbers(model) for name, model in models.items()}))
    copies = [
        {"name": f"{name}, {words}", **edited(name, models[name], edit)}
        for name in ("causal_rn", "wide_heads")
        for words, edit in EDITS.items()
    ]
    assert len({copied["written"] for copied in copies if copied["model"] == "causal_rn"}) == len(EDITS)
    (tmp_path / "edited.json").write_text(json.dumps(copies))
    tests = sorted(str(path) for path in HERE.glob("*.test.js"))
    (tmp_path / "rows.json").write_text(json.dumps({"pairs": pairs(), "dictionaries": dictionaries()}))
    (tmp_path / "training.json").write_text(json.dumps(training()))
    (tmp_path / "recorded.json").write_text(json.dumps(recorded()))
    lines = line_models()
    three, wanted = of_three_numbers()
    refused = {"convolved": {"short_conv": 2}, "windowed": {"first_window": 3}}
    others = {f"line_{kind}": model for kind, model in lines.items()} | {"three": three}
    others |= {name: drawn({"kind": "causal_rn", **part}) for name, part in refused.items()}
    for name, model in others.items():
        (tmp_path / f"{name}.safetensors").write_bytes(frontend.model_bytes(model))
    (tmp_path / "fitted.json").write_text(json.dumps({**fitted(lines), "three": wanted}))
    command = [NODE, "--test", "--test-reporter=tap", *tests]
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"NUMBERS": str(tmp_path)})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (passed,) = re.findall(r"^# pass (\d+)$", ran.stdout, re.MULTILINE)
    assert int(passed) >= 3 * len(models) + 2 * len(copies) + 12 and re.search(
        r"^# skipped 0$", ran.stdout, re.MULTILINE
    )


def test_the_models_that_ship_hold_their_row_and_are_small() -> None:
    for kind in frontend.SHIPPED:
        row, size = frontend.shipped_row(kind), len(frontend.shipped_model(kind))
        assert row["model"]["kind"] == kind and row["parameters"] == sum(p.numel() for p in shipped(kind).parameters())
        assert 4 * row["parameters"] < size <= 256_000
    shapes = {json.dumps([frontend.shipped_row(kind)[part] for part in ("task", "seed")]) for kind in frontend.SHIPPED}
    assert len(shapes) == 1, "one task for all"


@pytest.mark.parametrize("name", frontend.MODULES)
def test_a_modules_text_is_one_module_without_imports(name: str, tmp_path: Path) -> None:
    text = frontend.module_text(name)
    assert re.findall(r"^export default \{ render \};$", text, re.MULTILINE) == ["export default { render };"]
    assert not re.search(r"^(import|export (?!default))", text, re.MULTILINE)
    module = tmp_path / "module.mjs"
    module.write_text(text)
    (carried := tmp_path / "carried.js").write_text(
        f"globalThis.window = globalThis;\n{frontend.carried(f'{name}.js')}"
    )
    program = (
        f"require({json.dumps(str(carried))}); const [[name, make]] = crnCarried;"
        f"import({json.dumps(str(module))}).then(m => console.log(name, typeof m.default.render, typeof make().render))"
    )
    ran = subprocess.run([NODE, "-e", program], capture_output=True, text=True)
    assert ran.stdout == f"{name}.js function function\n", ran.stderr


def test_no_class_of_a_widget_is_one_that_the_sites_theme_styles_by_itself() -> None:
    package = Path(pydata_sphinx_theme.__file__).parent
    theme = package / "theme/pydata_sphinx_theme/static/styles/pydata-sphinx-theme.css"
    styled = set(re.findall(r"(?:^|[},])\.([a-z-]+)(?=[{,>])", theme.read_text(encoding="utf-8")))
    assert {"mark", "table", "row"} <= styled
    texts = [path.read_text(encoding="utf-8") for path in frontend.FOLDER.glob("*.css")]
    own = {name for text in texts for name in re.findall(r"\.([a-z]+[\w-]*)(?=[^;{]*\{)", text)}
    assert {"crn-widget", "swatch", "scrolled"} <= own and own & styled == set()


def test_the_copier_gives_its_module_the_models_asked_for_and_pages_those_that_ship() -> None:
    own = drawn({"kind": "causal_rn"})
    copier = Copier("abc", {"causal_rn": own})
    weights = {about["kind"]: about["weights"] for about in copier.models}
    assert weights["causal_rn"] == frontend.model_bytes(own)
    assert weights["transformer"] == frontend.shipped_model("transformer")
    assert "trained in this lesson" in copier.models[0]["note"] and "512,000" in copier.models[1]["note"]
    bundle, _ = copier._repr_mimebundle_()
    assert bundle[ALIVE_MIME] == {"module": "copier", "state": copier_state("abc")}
    carried = [about["weights"]["carried"] for about in copier_state("abc")["models"]]
    assert set(carried) <= set(frontend.carried_names()) and len(carried) == 3
    json.dumps(bundle)
    with pytest.raises(ValueError, match="lstm"):
        Copier("abc", {"lstm": own})


def test_the_worker_that_trains_is_one_script_which_pages_carry() -> None:
    widget = TrainInPage()
    assert widget.page_state()["worker"]["carried"] in frontend.carried_names()
    assert not re.search(rb"^(import|export) ", widget.worker, re.MULTILINE), (
        "a worker of a page on a disk is no module"
    )
    assert b"new TrainingRun(" in widget.worker and b"class TrainingRun" in widget.worker


@pytest.mark.parametrize(
    "name", ["nothing.safetensors", "copier.safetensors", "line_lstm.safetensors", "dom.js", "line"]
)
def test_a_file_that_no_page_carries_is_refused_by_name_and_those_that_are_carried_are_listed(name: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]*$") as refused:
        frontend.carried(name)
    assert str(refused.value).endswith(f"must be one of {', '.join(frontend.carried_names())}; got {name!r}")
