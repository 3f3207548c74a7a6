"""Whole sequences: shapes, causality, backends, and what is refused."""

import pytest
import torch

from crn_lib.models import BLOCKS, ModelConfig, build_model
from crn_lib.models.linear_transformer import feature_map, linear_attention
from crn_lib.ops.cpu import threads
from tests.models.model_cases import RELATION_FORMS, VARIANTS, VOCAB, name_of, small_model, tokens


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
def test_a_future_token_changes_no_earlier_logit(variant):
    model = small_model(**variant)
    before = tokens(2, 70)
    after = before.clone()
    after[:, 40:] = (after[:, 40:] + 1) % VOCAB
    one, other = model(before), model(after)
    assert one.shape == (2, 70, VOCAB)
    torch.testing.assert_close(one[:, :40], other[:, :40], rtol=1e-10, atol=1e-12)
    assert not torch.isclose(one[:, 40:], other[:, 40:], rtol=1e-4, atol=1e-6).all(dim=-1).any()


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
def test_the_first_token_still_matters_at_the_last_position(variant):
    """Mixing is real: were a block to pass its input through, only the last token would count."""
    model = small_model(**variant)
    before = tokens(1, 30)
    after = before.clone()
    after[:, 0] = (after[:, 0] + 1) % VOCAB
    assert (model(before)[:, -1] - model(after)[:, -1]).abs().max() > 1e-6


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 90])
def test_any_length_is_the_start_of_a_longer_one(variant, length):
    model, sequence = small_model(**variant), tokens(2, 90)
    found = model(sequence[:, :length])
    torch.testing.assert_close(found, model(sequence)[:, :length], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
def test_every_parameter_has_a_gradient(variant):
    model = small_model(**variant)
    sequence = tokens(3, 90)
    torch.nn.functional.cross_entropy(model(sequence).flatten(0, 1), sequence.flatten()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("variant", [v for v in RELATION_FORMS if v["kind"] == "causal_rn"], ids=name_of)
def test_a_model_on_the_definition_equals_a_model_on_auto(variant):
    model, sequence = small_model(**variant), tokens(2, 30)
    auto = model(sequence)
    auto.square().sum().backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    for block in model.blocks:
        block.backend = "naive"
    naive = model(sequence)
    naive.square().sum().backward()
    torch.testing.assert_close(auto, naive, rtol=1e-8, atol=1e-10)
    for one, parameter in zip(gradients, model.parameters(), strict=True):
        torch.testing.assert_close(one, parameter.grad, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", ["causal_rn", "linear_rn"])
def test_post_norm_takes_part(kind):
    sequence = tokens(1, 9)
    assert not torch.isclose(small_model(kind=kind)(sequence), small_model(kind=kind, post_norm=False)(sequence)).all()


@pytest.mark.parametrize("heads", [1, 3])
def test_linear_attention_is_the_quadratic_formula(heads):
    """Katharopoulos et al., equation 8: phi(q_i) phi(k_j) as weights over j <= i, summing to one."""
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, heads, 150, 4, dtype=torch.float64, generator=generator) for _ in range(3))
    weights = (feature_map(query) @ feature_map(key).transpose(-1, -2)).tril()
    truth = weights / weights.sum(dim=-1, keepdim=True) @ value
    torch.testing.assert_close(linear_attention(feature_map(query), feature_map(key), value), truth)


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.zeros(5, dtype=torch.long), r"tokens must be \(batch, length\) and not empty; got shape \(5,\)"),
        (torch.zeros(2, 0, dtype=torch.long), r"not empty; got shape \(2, 0\)"),
        *(
            (torch.zeros(1, 5, dtype=dtype), rf"tokens must be a tensor of whole numbers, int32 or int64; got {dtype}$")
            for dtype in (torch.float32, torch.bool, torch.uint8, torch.int16, torch.uint16, torch.complex64)
        ),
        (torch.zeros(1, 91, dtype=torch.long), r"a sequence of 91 tokens is longer than the model's max_length 90"),
        (torch.full((1, 5), VOCAB), rf"token ids must be from 0 to {VOCAB - 1}; got {VOCAB}"),
        (torch.full((1, 5), -1), rf"token ids must be from 0 to {VOCAB - 1}; got -1"),
    ],
)
def test_tokens_that_do_not_fit_are_refused_in_one_line(kind, bad, message):
    model = small_model(kind=kind)
    for read in (model, model.prefill, lambda prompt: model.generate(prompt, 1)):
        with pytest.raises(ValueError, match=message) as error:
            read(bad)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("weights", [torch.float16, torch.float32], ids=["weights too", "autocast"])
@pytest.mark.parametrize("form", [{}, {"norm": "approx"}, {"first_window": 4}, {"norm": "rms"}], ids=str)
def test_wide_models_stay_finite_in_float16(form, weights) -> None:
    model = build_model(ModelConfig(width=256, blocks=1, max_length=8, **form))
    with torch.no_grad():  # one sender stands out as far as a normalised row allows: exp(16) is beyond float16
        for weight in (model.blocks[0].receiver.weight, model.blocks[0].sender.weight):
            weight.zero_()
            weight[0, -1] = 1.0
        model.token_embedding.weight[:] = torch.arange(256.0)
    model, ids = model.to(weights), torch.zeros(1, 8, dtype=torch.long)
    with torch.no_grad(), torch.autocast("cpu", torch.float16, enabled=weights is not torch.float16):
        logits = model(ids)
        read, state = model.prefill(ids[:, :3])
        stepped = [read, *(model.step(ids[:, i], state)[0] for i in range(3, 8))]
    assert bool(logits.isfinite().all())
    torch.testing.assert_close(torch.stack(stepped, dim=1), logits[:, 2:], rtol=2e-3, atol=2e-3)


def test_a_small_batch_keeps_torch_to_one_thread_forward_and_back_and_changes_no_bit(monkeypatch, use_threads):
    use_threads(2)
    model = build_model(ModelConfig(kind="causal_rn", width=16, blocks=2, max_length=9))
    ids, seen = torch.randint(0, 8, (2, 9)), []

    def note(module, inputs, output):
        seen.append(torch.get_num_threads())
        output.register_hook(lambda _: seen.append(torch.get_num_threads()))

    model.blocks[1].register_forward_hook(note)
    found = []
    for small in (threads.SMALL, 0):
        monkeypatch.setattr(threads, "SMALL", small)
        loss = model(ids).square().sum()
        found.append([loss, *torch.autograd.grad(loss, list(model.parameters()))])
        seen.append(torch.get_num_threads())
    assert seen == [1, 1, 2, 2, 2, 2]
    assert all(torch.equal(x, y) for x, y in zip(*found, strict=True))
