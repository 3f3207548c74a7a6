"""Points in a plane, and what models of vectors and estimators predict after them: node's tests compare with these."""

import copy
from typing import Any

import torch

from crn_lib.course import frontend
from crn_lib.models import ModelConfig, SequenceModel, build_model
from crn_lib.tasks import ESTIMATORS

Points = list[tuple[float, float]]

XS = torch.linspace(-2.5, 2.5, 41)
POINTS: dict[str, Points] = {
    "one": [(1.0, 1.2)],
    "the last of four is far off": [(-1.2, -1.56), (0.4, 0.52), (1.0, 1.3), (1.8, -2.0)],
    "three of these": [(-1.2, -1.56), (0.4, 0.52), (1.0, 1.3)],
    "another in the midst": [(-1.2, -1.56), (0.4, -3.0), (1.0, 1.3)],
    "ten": [(0.43 * k - 2.1, 1.7 - 0.03 * k * k) for k in range(10)],
    "two of the same x": [(1.0, 2.0), (1.0, -1.0)],
    "four of the same x": [(0.5, 1.0), (0.5, 2.0), (0.5, 4.0), (0.5, 8.0)],
    "equally near, to the left first": [(-1.0, 1.0), (1.0, 2.0), (-2.0, 3.0), (2.0, -1.0)],
    "equally near, to the right first": [(2.0, -1.0), (1.0, 2.0), (-2.0, 3.0), (-1.0, 1.0)],
    "nearer in float32 alone": [(-1.6, 1.0), (-1.7, 2.0), (-2.37, 3.0), (-0.88, -1.0)],  # at -1.625, by the last digit
    "x = 0 for one": [(0.0, 1.5), (1.0, 2.0)],
    "x = 0 for all": [(0.0, 1.5), (0.0, 0.0)],
}


def line_models() -> dict[str, SequenceModel]:
    """The stored ones."""
    return {kind: frontend.line_model(kind) for kind in frontend.LINE_KINDS}


@torch.no_grad()
def predicted(points: Points, models: dict[str, SequenceModel]) -> dict[str, dict[str, list[float | None]]]:
    """What models, in float64, and estimators, as lessons call them, predict at each of `XS`; `None` is no number."""
    x, y = (torch.tensor(part).expand(len(XS), -1) for part in zip(*points, strict=True))
    x, y = torch.cat([x, XS[:, None]], dim=1), torch.cat([y, torch.zeros(len(XS), 1)], dim=1)
    vectors = torch.stack([x, y], dim=2).flatten(1)[:, :-1, None]
    found = {
        "models": {kind: copy.deepcopy(m).double()(vectors.double())[:, -1, 0] for kind, m in models.items()},
        "estimators": {name: e(x[..., None], y)[:, -1] for name, e in ESTIMATORS.items() if name != "zero"},
    }
    return {
        part: {name: [v if v == v else None for v in values.tolist()] for name, values in named.items()}
        for part, named in found.items()
    }


@torch.no_grad()
def of_three_numbers() -> tuple[SequenceModel, dict[str, Any]]:
    """A model of vectors of width 3 with five outputs, vectors, and what follows each."""
    config = ModelConfig(kind="transformer", vocab_size=5, input_width=3, width=16, blocks=1, max_length=6)
    model = build_model(config, generator=torch.Generator().manual_seed(5))
    vectors = torch.randn(1, 6, 3, generator=torch.Generator().manual_seed(6))
    return model, {"vectors": vectors[0].tolist(), "logits": model.double()(vectors.double())[0].tolist()}


def fitted(models: dict[str, SequenceModel]) -> dict[str, Any]:
    cases = [{"name": name, "points": points, **predicted(points, models)} for name, points in POINTS.items()]
    return {"xs": XS.tolist(), "cases": cases}
