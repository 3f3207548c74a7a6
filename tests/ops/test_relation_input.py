"""The public entry: what it refuses, in which words, and how it explains its choice."""

import re
import sys

import pytest
import torch

from crn_lib.models import ModelConfig, build_model
from crn_lib.ops import ACTIVATIONS, BACKENDS, NORMS, backends, factorises, relation, which_backend
from crn_lib.ops.window import window_relation
from tests.ops.relation_cases import PAPER_NORMS, WITHOUT_KERNEL, normal, pair


@pytest.mark.parametrize(
    ("options", "wrong", "allowed"),
    [
        ({"norm": "layer"}, "norm", NORMS),
        ({"norm": None}, "norm", NORMS),
        ({"activation": "tanh"}, "activation", ACTIVATIONS),
        ({"backend": "cuda"}, "backend", BACKENDS),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(options, wrong, allowed):
    message = f"{wrong} must be one of {', '.join(allowed)}; got {options[wrong]!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        relation(*pair(1, 2, 4), **options)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (torch.zeros(2, 4), torch.zeros(2, 4), "a must be (batch, length, width) with no empty dimension; got (2, 4)"),
        (torch.zeros(2, 0, 4), torch.zeros(2, 0, 4), "no empty dimension; got (2, 0, 4)"),
        (torch.zeros(1, 2, 4), torch.zeros(1, 2, 6), "the same shape; got (1, 2, 4) and (1, 2, 6)"),
        (torch.zeros(1, 2, 4), torch.zeros(1, 3, 4), "the same shape; got (1, 2, 4) and (1, 3, 4)"),
        (torch.zeros(1, 2, 4), torch.zeros(1, 2, 4).double(), "share dtype and device; got torch.float32 on cpu and"),
        (torch.zeros(1, 2, 4), torch.zeros(1, 2, 4, device="meta"), "on cpu and torch.float32 on meta"),
    ],
)
def test_tensors_that_do_not_fit_are_named_in_one_line(a, b, message):
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        relation(a, b)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("bad", [torch.zeros(1, 2, 4, dtype=torch.long), [[[1.0]]], None])
def test_what_is_no_floating_point_tensor_is_a_type_error(bad):
    good = torch.zeros(1, 2, 4)
    found = str(bad.dtype) if isinstance(bad, torch.Tensor) else type(bad).__name__
    with pytest.raises(TypeError, match=f"^a must be a floating-point tensor of 16, 32 or 64 bits; got {found}$"):
        relation(bad, good)
    with pytest.raises(TypeError, match=r"^b must be"):
        relation(good, bad)


@pytest.mark.parametrize("heads", [0, -1, 3, 2.0, True, None])
def test_heads_must_divide_the_width(heads):
    with pytest.raises(ValueError, match=f"^heads must be a whole number that divides the width 4; got {heads!r}$"):
        relation(*pair(1, 2, 4), heads=heads)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_exactly_the_forms_that_factorise_have_the_linear_backend(norm, activation):
    linear = norm in ("approx", "none", "mean") and activation == "exp"
    able, unable = ("linear", "fused") if linear else ("tiled" if norm in WITHOUT_KERNEL else "fused", "linear")
    assert factorises(norm, activation) == linear
    assert which_backend(norm, activation).name == able
    with pytest.raises(ValueError, match=f"backend {unable!r} .*norm={norm!r}.* factorises") as error:
        relation(*pair(1, 2, 4), norm=norm, activation=activation, backend=unable)
    message = str(error.value)
    for name in ("auto", able, "tiled", "naive"):
        assert f"'{name}'" in message


def test_the_choice_is_explained_in_words(use_threads):
    use_threads(2)
    assert str(which_backend()) == "fused: Numba kernel on the CPU, 2 threads, no pair is stored"
    assert which_backend("approx").reason == "exp with norm='approx' factorises into a prefix sum"
    for backend in ("naive", "tiled", "fused"):
        choice = which_backend(backend=backend)
        assert choice.name == backend and "asked for" in choice.reason
    assert "asked for" not in which_backend().reason


@pytest.mark.parametrize("norm", ["exact", "none"])
def test_without_numba_auto_takes_the_tiles_and_says_so(monkeypatch, norm):
    monkeypatch.setattr(backends, "fused_cpu_missing", lambda: "Numba cannot be imported here (gone)")
    choice = which_backend(norm, "gelu")
    assert choice.name == "tiled" and "Numba cannot be imported here (gone)" in choice.reason
    a, b = pair(1, 7, 6)
    options = {"norm": norm, "activation": "gelu"}
    assert torch.equal(relation(a, b, **options), relation(a, b, **options, backend="tiled"))
    with pytest.raises(ValueError, match=r"'fused' is not available: Numba .* use 'auto', 'tiled' or 'naive'$"):
        relation(a, b, **options, backend="fused")


def test_without_numbas_compiler_auto_takes_the_tiles_and_says_so(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    monkeypatch.setattr(backends, "fused_cpu_missing", backends.fused_cpu_missing.__wrapped__)
    choice = which_backend()
    assert choice.name == "tiled" and choice.reason.endswith(
        "because NUMBA_DISABLE_JIT is set, and the Numba kernels exist compiled only"
    )


def test_another_device_never_falls_back_to_the_cpu_kernels(monkeypatch):
    choice = which_backend(device="mps")
    assert choice.name == "tiled" and "no compiled kernel for device 'mps'" in choice.reason
    monkeypatch.setattr(backends, "fused_cuda_missing", lambda device: f"no {device} is here")
    choice = which_backend(device="cuda:1")
    assert choice.name == "tiled" and choice.reason.endswith("because no cuda:1 is here")
    assert which_backend("approx", device="cuda").name == "linear"
    with pytest.raises(ValueError, match=r"'fused' is not available: no cuda is here; use 'auto', 'tiled' or 'naive'$"):
        which_backend(device="cuda", backend="fused")


LACKING = "norm='none' with activation='exp' is added in float64, which device '{}' does not have"


def test_a_device_without_float64_is_refused_where_that_is_added_in():
    for backend in ("auto", "linear"):
        with pytest.raises(ValueError, match=f"^{LACKING.format('mps')}; use 'tiled' or 'naive', or another device$"):
            which_backend("none", device="mps", backend=backend)
        assert which_backend("approx", device="mps", head_width=401, backend=backend).name == "linear"
        with pytest.raises(ValueError, match=r"^norm='approx' with activation='exp' and heads of more than 401 colum"):
            which_backend("approx", device="mps", head_width=402, backend=backend)
    for able in ({"backend": "tiled"}, {"activation": "gelu"}):
        assert which_backend("none", device="mps", **able).name == "tiled"


def test_so_are_relations_windows_and_states_there(monkeypatch):
    """A stub: the CPU, with its float64 taken away."""
    monkeypatch.setattr(backends, "WITHOUT_FLOAT64", ("cpu",))
    a, b = (x.float() for x in pair(1, 5, 6))
    block = build_model(ModelConfig(kind="linear_rn", norm="none", width=6, blocks=1)).blocks[0]
    options = {"window": 2, "norm": "none", "activation": "exp"}
    assert window_relation(a, b, **options).isfinite().all()  # for rows of ordinary size float32 does
    for call in (
        lambda: relation(a, b, norm="none"),
        lambda: window_relation(1e3 * a, b, **options),
        lambda: block.init_state(1, a.device, a.dtype),
    ):
        with pytest.raises(ValueError, match=f"^{LACKING.format('cpu')}"):
            call()


def test_a_norm_that_no_kernel_knows_is_tiled_and_says_so(monkeypatch):
    choice = which_backend("variance", "gelu")
    assert choice.name == "tiled" and "the Numba kernels have the norms exact, approx," in choice.reason
    with pytest.raises(
        ValueError, match=r"'fused' is not available: the Numba kernels have the norms .*, not variance;"
    ):
        which_backend("variance", backend="fused")
    monkeypatch.setattr(backends, "fused_cuda_missing", lambda device: "")
    for norm in set(NORMS) - set(PAPER_NORMS):
        choice = which_backend(norm, "gelu", device="cuda")
        assert choice.name == "tiled"
        assert choice.reason.endswith(f"because the Triton kernels have the norms exact, approx, none, not {norm}")


def test_a_head_too_wide_for_the_kernels_is_tiled_and_says_so():
    assert which_backend(head_width=6400).name == "fused"
    choice = which_backend(head_width=6401)
    assert choice.name == "tiled" and "heads of at most 6400 columns, not 6401" in choice.reason
    a, b = pair(1, 1, 6401)
    assert torch.equal(relation(a, b), relation(a, b, backend="tiled"))
    with pytest.raises(ValueError, match="heads of at most 6400 columns"):
        relation(a, b, backend="fused")


def test_input_is_not_changed():
    a, b = pair(2, 5, 6)
    kept_a, kept_b = a.clone(), b.clone()
    for backend in ("naive", "tiled", "fused"):
        relation(a, b, backend=backend)
        assert torch.equal(a, kept_a) and torch.equal(b, kept_b)


def test_normalisation_is_per_head():
    a, b = pair(1, 5, 6)
    out = relation(a, b, heads=2)
    for part in (slice(0, 3), slice(3, 6)):
        torch.testing.assert_close(out[..., part], relation(a[..., part], b[..., part]))
    assert not torch.isclose(out, relation(a, b)).all()


def test_sequences_of_a_batch_do_not_mix():
    a, b = pair(3, 5, 6)
    changed = b.clone()
    changed[1] = normal(5, 6, seed=9)
    for norm in NORMS:
        before, after = relation(a, b, norm=norm), relation(a, changed, norm=norm)
        assert torch.equal(before[[0, 2]], after[[0, 2]]) and not torch.equal(before[1], after[1])


@pytest.mark.parametrize("norm", ["exact", "approx", "none"])
@pytest.mark.parametrize("backend", ["auto", "naive", "tiled"])
def test_a_call_chooses_and_computes_once_in_half_precision_too(monkeypatch, norm, backend):
    module, calls = sys.modules["crn_lib.ops.relation"], []

    def counted(name):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *rows, **options: calls.append(name) or real(*rows, **options))

    for name in ("_check_tensors", "which_backend", "_function_of"):
        counted(name)
    a, b = (x.bfloat16() for x in pair(1, 5, 6))
    assert relation(a, b, norm=norm, backend=backend).dtype == torch.bfloat16
    assert calls == ["_check_tensors", "which_backend", "_function_of"]
