"""Token by token: the state gives what the whole sequence gives, and holds what it says it holds."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from crn_lib.models import BLOCKS
from crn_lib.models.causal_rn import FEW_SEQUENCES
from crn_lib.ops.cpu import decoding, threads
from crn_lib.ops.cpu.decoding import block_step
from tests.models.model_cases import FIXED_STATE, GROWING_STATE, VARIANTS, VOCAB, name_of, small_model, tokens

CLOSE = {"rtol": 1e-8, "atol": 1e-10}


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor that can be reached from a state."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
    elif hasattr(value, "__dict__"):
        for item in vars(value).values():
            yield from tensors_in(item)


def bytes_in_memory(state: Any) -> int:
    """What the tensors keep alive, whole storages and not only the parts in view."""
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage() for tensor in tensors_in(state)}
    return sum(storage.nbytes() for storage in storages.values())


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
def test_step_by_step_equals_forward(variant):
    model, sequence = small_model(**variant), tokens(3, 70)
    whole = model(sequence)
    state = model.init_state(3)
    for i in range(70):
        logits, state = model.step(sequence[:, i], state)
        torch.testing.assert_close(logits, whole[:, i], **CLOSE)


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
@pytest.mark.parametrize("split", [1, 2, 3, 64, 66])
def test_prefill_and_go_on_equals_forward(variant, split):
    model, sequence = small_model(**variant), tokens(2, 70)
    whole = model(sequence)
    logits, state = model.prefill(sequence[:, :split])
    torch.testing.assert_close(logits, whole[:, split - 1], **CLOSE)
    for i in range(split, 70):
        logits, state = model.step(sequence[:, i], state)
        torch.testing.assert_close(logits, whole[:, i], **CLOSE)


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
@pytest.mark.parametrize("lengths", [[1, 5, 2], [4, 1, 3], [5, 5, 5]])
def test_prompts_of_different_lengths_go_on_each_from_its_own_end(variant, lengths):
    model, sequence = small_model(**variant), tokens(3, 20)
    ends, rows = torch.tensor(lengths), torch.arange(3)
    whole = model(sequence)
    padded = torch.where(torch.arange(5) < ends[:, None], sequence[:, :5], VOCAB - 1)
    logits, state = model.prefill(padded, ends)
    torch.testing.assert_close(logits, whole[rows, ends - 1], **CLOSE)
    for step in range(8):
        logits, state = model.step(sequence[rows, ends + step], state)
        torch.testing.assert_close(logits, whole[rows, ends + step], **CLOSE)
    assert state.positions.tolist() == [end + 8 for end in lengths]


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
def test_generate_equals_full_reruns_token_for_token(variant):
    model, prompt = small_model(**variant), tokens(4, 6)
    sequence = prompt
    for _ in range(30):
        sequence = torch.cat([sequence, model(sequence)[:, -1:].argmax(dim=-1)], dim=1)
    found = model.generate(prompt, 30)
    assert torch.equal(found, sequence[:, 6:])
    assert len(found.unique()) > 1, "a model that repeats one token proves nothing"


@pytest.mark.parametrize("kind", BLOCKS)
def test_generate_from_ragged_prompts_equals_one_prompt_at_a_time(kind):
    model, prompt = small_model(kind=kind), tokens(3, 9)
    lengths = torch.tensor([2, 9, 5])
    together = model.generate(prompt, 12, lengths)
    for row, length in enumerate(lengths):
        assert torch.equal(together[row : row + 1], model.generate(prompt[row : row + 1, :length], 12))


@pytest.mark.parametrize("kind", BLOCKS)
def test_generate_calls_forward_never(kind, monkeypatch):
    model = small_model(kind=kind)
    monkeypatch.setattr(model, "forward", lambda *_: pytest.fail("a full re-run"))
    assert model.generate(tokens(1, 3), 4).shape == (1, 4)


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
def test_nbytes_is_what_the_state_holds_in_memory(variant):
    model = small_model(**variant)
    state = model.init_state(2)
    assert state.nbytes == bytes_in_memory(state)
    _, state = model.prefill(tokens(2, 7), torch.tensor([7, 4]))
    assert state.nbytes == bytes_in_memory(state)
    for _ in range(20):
        _, state = model.step(torch.tensor([1, 2]), state)
        assert state.nbytes == bytes_in_memory(state)


def test_nbytes_is_constant_exactly_where_the_state_is_fixed():
    for kind in FIXED_STATE + GROWING_STATE:
        model, sizes = small_model(kind=kind), []
        state = model.init_state(1)
        for i in range(70):
            _, state = model.step(torch.tensor([i % VOCAB]), state)
            sizes.append(state.nbytes)
        assert (len(set(sizes)) == 1) == (kind in FIXED_STATE), kind
        if kind in GROWING_STATE:
            assert sizes == sorted(sizes)
            rows = 2 * 12 * 8 * (1 if kind == "causal_rn" else 2)  # blocks x width x bytes, and keys beside values
            assert rows * 70 <= sizes[-1] <= rows * 2 * 70


def test_a_block_of_the_linear_network_holds_one_number_a_channel():
    state = small_model(kind="linear_rn", blocks=1).init_state(5)
    assert [x.shape for x in tensors_in(state.blocks[0])] == [(5, 12), (5,)]  # the running sum; lengths


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_half_precision_model_decodes(kind, dtype):
    model = small_model(kind=kind).to(dtype)
    sequence = tokens(1, 40)
    whole, (logits, _) = model(sequence)[:, -1], model.prefill(sequence)
    assert logits.dtype == dtype and torch.equal(logits, whole)
    assert model.generate(sequence, 5).shape == (1, 5)


@pytest.mark.parametrize("norm", ["none", "mean"])
def test_a_window_stays_finite_where_nothing_bounds_its_rows(norm):
    model, sequence = small_model(kind="linear_rn", norm=norm, first_window=4, heads=3).float(), tokens(2, 20)
    with torch.no_grad():
        for weight in (model.blocks[0].receiver.weight, model.blocks[0].sender.weight):
            weight.mul_(1000)
    whole = model(sequence)
    loss = whole.square().sum()
    assert whole.isfinite().all() and all(
        x.isfinite().all() for x in torch.autograd.grad(loss, list(model.parameters()))
    )
    _, state = model.prefill(sequence[:, :7])
    for i in range(7, 20):
        logits, state = model.step(sequence[:, i], state)
        torch.testing.assert_close(logits, whole[:, i], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("weights", [torch.bfloat16, torch.float16, torch.float32], ids=str)
@torch.no_grad()
def test_linear_attention_counts_on_in_half_precision(weights):
    """In bfloat16 512 + 1 is 512: the mean over the keys would be one over the first few hundred."""
    model = small_model(kind="linear_transformer", blocks=1, max_length=1500, positions="none").to(weights)
    sequence = tokens(1, 1500)
    truth = small_model(kind="linear_transformer", blocks=1, max_length=1500, positions="none")
    truth.load_state_dict(model.state_dict())  # float64, with the weights as they were rounded
    with torch.autocast("cpu", torch.bfloat16, enabled=weights is torch.float32):  # else the weights are narrow
        _, state = model.prefill(sequence[:, :100])
        for i in range(100, 1500):
            logits, state = model.step(sequence[:, i], state)
        _, whole = model.prefill(sequence)
    true_logits, held = truth.prefill(sequence)
    for sums in (state.blocks[0].sums, whole.blocks[0].sums):
        assert sums.dtype == torch.float32
        torch.testing.assert_close(sums[..., -1].double(), held.blocks[0].sums[..., -1], rtol=0.01, atol=0.0)
    torch.testing.assert_close(logits.double(), true_logits, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("kind", BLOCKS)
def test_max_length_can_be_reached_and_not_passed(kind):
    model = small_model(kind=kind, max_length=8)
    assert model.generate(tokens(1, 5), 4).shape == (1, 4)  # the last token is never read
    with pytest.raises(ValueError, match=r"^steps must be from 1 to 4, .* max_length 8; got 5$"):
        model.generate(tokens(1, 5), 5)
    with pytest.raises(ValueError, match=r"^steps must be a whole number >= 1; got 0$"):
        model.generate(tokens(1, 5), 0)
    _, state = model.prefill(tokens(1, 8))
    with pytest.raises(ValueError, match=r"^the model's max_length of 8 positions is used up$"):
        model.step(torch.tensor([1]), state)


@pytest.mark.parametrize(
    ("lengths", "got"),
    [([0, 2], r"\[0, 2\]"), ([1, 6], r"\[1, 6\]"), ([1], r"\[1\]"), ([1, 2, 3], r"\[1, 2, 3\]"), ([], r"\[\]")],
)
def test_prompt_lengths_must_fit_the_prompts(lengths, got):
    model, lengths = small_model(kind="causal_rn"), torch.tensor(lengths, dtype=torch.long)
    with pytest.raises(ValueError, match=rf"^lengths must be 2 whole numbers from 1 to 5; got {got}$"):
        model.prefill(tokens(2, 5), lengths)
    with pytest.raises(ValueError, match=rf"^prompt_lengths must be 2 whole numbers from 1 to 5; got {got}$"):
        model.generate(tokens(2, 5), 3, lengths)


@pytest.mark.parametrize("kind", ["causal_rn", "linear_rn", "lstm"])
@pytest.mark.parametrize(
    ("lengths", "got"),
    [
        ([3, 5], "a list"),
        (torch.tensor([3.0, 5.0]), "torch.float32"),
        (torch.tensor([3, 5], dtype=torch.uint8), "torch.uint8"),
        (torch.tensor([True, True]), "torch.bool"),
    ],
    ids=str,
)
def test_prompt_lengths_are_whole_numbers(kind, lengths, got):
    model = small_model(kind=kind)
    says = rf"must be a tensor of whole numbers, int32 or int64; got {got}$"
    with pytest.raises(ValueError, match=rf"^lengths {says}"):
        model.prefill(tokens(2, 5), lengths)
    with pytest.raises(ValueError, match=rf"^prompt_lengths {says}"):
        model.generate(tokens(2, 5), 3, lengths)


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
def test_whole_numbers_of_32_bits_are_read_as_those_of_64(variant):
    model, prompt, lengths = small_model(**variant), tokens(2, 5), torch.tensor([2, 5])
    logits, state = model.prefill(prompt, lengths)
    narrow, held = model.prefill(prompt.int(), lengths.int())
    assert torch.equal(narrow, logits) and held.nbytes == state.nbytes
    assert torch.equal(model.step(prompt[:, 0].int(), held)[0], model.step(prompt[:, 0], state)[0])
    assert torch.equal(model.generate(prompt.int(), 3, lengths.int()), model.generate(prompt, 3, lengths))
    assert torch.equal(model(prompt.int()), model(prompt))


def test_a_step_wants_one_known_token_a_sequence():
    model = small_model(kind="lstm")
    state = model.init_state(2)
    with pytest.raises(ValueError, match=r"^token must hold 2 ids, one a sequence; got 3$"):
        model.step(torch.tensor([1, 2, 3]), state)
    with pytest.raises(ValueError, match=rf"^token ids must be from 0 to {VOCAB - 1}; got 99$"):
        model.step(torch.tensor([1, 99]), state)
    with pytest.raises(ValueError, match=r"^tokens must be \(batch,\) and not empty; got shape \(2, 1\)$"):
        model.step(torch.tensor([[1], [2]]), state)
    with pytest.raises(ValueError, match=r"^batch must be a whole number >= 1; got 0$"):
        model.init_state(0)


FORMS_OF_A_BLOCK = [{}, {"heads": 3}, {"post_norm": False}, {"expansion": 2, "heads": 4}, {"width": 7}]


@pytest.fixture
def compiled(monkeypatch):
    """How often a whole block was one compiled call."""
    calls = []

    def counted(*arguments):
        calls.append(1)
        return block_step(*arguments)

    monkeypatch.setattr(decoding, "block_step", counted)
    return calls


@pytest.mark.parametrize(
    ("dtype", "close"), [(torch.float64, CLOSE), (torch.float32, {"rtol": 1e-4, "atol": 1e-5})], ids=["64", "32"]
)
@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("form", FORMS_OF_A_BLOCK, ids=str)
def test_a_compiled_block_is_the_block(compiled, form, batch, dtype, close):
    block = small_model(blocks=1, **form).to(dtype).blocks[0]
    ends = torch.arange(1, batch + 1)
    rows = torch.randn(batch, batch + 50, block.receiver.in_features, generator=torch.Generator().manual_seed(0)).to(
        dtype
    )
    states = [block.init_state(batch, rows.device, dtype) for _ in range(2)]
    with torch.no_grad():
        for state in states:
            block(rows[:, :batch], state, ends)
    for i in range(50):
        x = rows[:, batch + i]
        whole = block.step(x, states[0])  # a graph is recorded
        assert len(compiled) == i
        with torch.no_grad():
            torch.testing.assert_close(block.step(x, states[1]), whole, **close)
    assert len(compiled) == 50
    torch.testing.assert_close(states[1].rows, states[0].rows, **close)
    assert torch.equal(states[1].lengths, ends + 50)


@torch.no_grad()
def test_a_block_is_compiled_for_a_few_sequences_and_where_nobody_looks_into_it(compiled):
    def calls_of(model, batch=1):
        compiled.clear()
        model.step(torch.zeros(batch, dtype=torch.long), model.init_state(batch))
        return len(compiled)

    model = small_model()
    assert calls_of(model) == calls_of(model, FEW_SEQUENCES) == 2 and calls_of(model, FEW_SEQUENCES + 1) == 0
    with torch.autocast("cpu", torch.bfloat16):
        assert calls_of(model.float()) == 0
    seen = []
    hook = model.blocks[0].sender.register_forward_hook(lambda _, __, out: seen.append(out))
    assert calls_of(model) == 1 and len(seen) == 1
    hook.remove()
    model.blocks[1].backend = "naive"
    assert calls_of(model) == 1
    assert calls_of(model.to(torch.bfloat16)) == 0
    assert calls_of(small_model(norm="rms")) == calls_of(small_model(activation="gelu")) == 0


def test_decoding_keeps_torch_to_one_thread_and_changes_no_bit(monkeypatch, use_threads):
    """Beside busy programs 32 sequences took a hundred times as long on two, where torch was loaded first."""
    use_threads(2)
    model, prompt = small_model(), tokens(3, 5)
    seen: list[int] = []
    logits = model._logits

    def note(x: Tensor) -> Tensor:
        seen.append(torch.get_num_threads())
        return logits(x)

    monkeypatch.setattr(model, "_logits", note)

    def decoded() -> list[Tensor]:
        first, state = model.prefill(prompt)
        return [first, model.step(prompt[:, 0], state)[0], model.generate(prompt, 3)]

    few = decoded()
    assert set(seen) == {1} and torch.get_num_threads() == 2
    seen.clear()
    monkeypatch.setattr(threads, "SMALL", 1)
    assert all(map(torch.equal, few, decoded())) and set(seen) == {2}
