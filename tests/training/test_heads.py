"""The parts of the model against what their papers say, by hand and by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from gongkai_training.batching import batch_of
from gongkai_training.config import PointerSpans
from gongkai_training.data import Example, RelationTarget, SpanTarget
from gongkai_training.heads.losses import multilabel
from gongkai_training.heads.pointer import PointerHead
from gongkai_training.heads.relations import (
    BiaffineHead,
    PointerRelationHead,
    RelationVectors,
)
from gongkai_training.heads.rotary import rotate
from gongkai_training.heads.tags import TagHead

_IDS = np.array([2, 5, 5, 5, 5, 3], np.int32)
_BATCH = batch_of([Example(_IDS, (SpanTarget(0, 0, 1), SpanTarget(1, 2, 2)), (RelationTarget(0, 1, 0),))])


def test_the_multilabel_loss_by_hand() -> None:
    scores = torch.tensor([1.0, -2.0, 3.0, 9.0])
    right = torch.tensor([1.0, 0.0, 0.0, 1.0])
    present = torch.tensor([True, True, True, False])
    expected = math.log(1 + math.exp(-2) + math.exp(3)) + math.log(1 + math.exp(-1))
    assert multilabel(scores, right, present).item() == pytest.approx(expected, rel=1e-5)


def test_the_multilabel_loss_of_nothing_is_nothing() -> None:
    nothing = torch.zeros(2, 3)
    assert multilabel(torch.randn(2, 3), nothing, nothing > 0).tolist() == pytest.approx([0.0, 0.0])


def test_rotated_vectors_see_only_how_far_apart_they_are() -> None:
    torch.manual_seed(1)
    query, key = torch.randn(2, 8)
    turned = rotate(torch.stack([query] * 20)[None, :, None]), rotate(torch.stack([key] * 20)[None, :, None])
    products = (turned[0][0, :, 0] @ turned[1][0, :, 0].T).numpy()
    for distance in range(-10, 11):
        diagonal = np.diagonal(products, distance)
        assert diagonal == pytest.approx([diagonal[0]] * len(diagonal), abs=1e-4)
    assert products[0, 0] == pytest.approx(float(query @ key), abs=1e-5)
    assert abs(products[0, 5] - products[0, 0]) > 1e-3


def test_pointer_scores_by_brute_force() -> None:
    torch.manual_seed(1)
    head = PointerHead(6, PointerSpans(size=4, longest=3))
    hidden = torch.randn(2, 5, 6)
    scores = head(hidden)
    assert scores.shape == (2, 5, 3, 7)
    first, last = rotate(head.ends(hidden).unflatten(-1, (2, 4))).unbind(2)
    begin, end = head.labels(hidden).unflatten(-1, (2, 7)).unbind(2)
    for start in range(5):
        for width in range(3):
            stop = start + width
            if stop >= 5:
                assert (scores[:, start, width] < -999).all()
                continue
            span = (first[:, start] * last[:, stop]).sum(-1, keepdim=True) / 2
            torch.testing.assert_close(scores[:, start, width], span + begin[:, start] + end[:, stop])


@pytest.mark.parametrize("kind", [BiaffineHead, PointerRelationHead])
def test_relation_vectors_carry_their_biases(kind: type[BiaffineHead | PointerRelationHead]) -> None:
    torch.manual_seed(1)
    head = kind(6, 4)
    torch.nn.init.zeros_(head.vectors.weight)
    torch.nn.init.zeros_(head.vectors.bias)
    hidden = torch.randn(1, 4, 6)
    heads, tails = head(hidden)
    biases = head.biases(hidden).unflatten(-1, (4, 8))[0]
    score = ((heads[0, 2, 0] + heads[0, 2, 1]) * (tails[0, 0, 0] + tails[0, 1, 1])).sum(-1)
    torch.testing.assert_close(score, biases[2, 0] + biases[2, 1] + biases[0, 2] + biases[1, 3])


def test_a_pointer_relation_adds_starts_and_ends() -> None:
    torch.manual_seed(1)
    heads, tails = PointerRelationHead(6, 4)(torch.randn(1, 4, 6))
    whole = ((heads[0, 2, 0] + heads[0, 3, 1]) * (tails[0, 0, 0] + tails[0, 1, 1])).sum(-1)
    starts = (heads[0, 2, 0] * tails[0, 0, 0]).sum(-1)
    ends = (heads[0, 3, 1] * tails[0, 1, 1]).sum(-1)
    torch.testing.assert_close(whole, starts + ends)


def test_the_tag_loss_by_hand() -> None:
    scores = torch.log(torch.full((1, 4, 7, 5), 0.1))
    scores[..., 0] = math.log(0.6)
    present = torch.ones(1, 4, dtype=torch.bool)
    loss = TagHead(6).loss(scores, _BATCH, present)
    # Three characters carry a tag of one label; the other 25 of 28 tags are O.
    assert loss.item() == pytest.approx(-(3 * math.log(0.1) + 25 * math.log(0.6)) / 4, rel=1e-5)


def test_of_overlapping_silver_spans_tags_learn_the_likeliest() -> None:
    spans = (SpanTarget(0, 0, 2, 0.6), SpanTarget(0, 2, 3, 0.9), SpanTarget(1, 2, 2, 0.5))
    both, best = (batch_of([Example(_IDS, each, ())]) for each in (spans, spans[1:]))
    present = torch.ones(1, 4, dtype=torch.bool)
    tags = torch.randn(1, 4, 7, 5).log_softmax(-1)
    assert torch.equal(TagHead(6).loss(tags, both, present), TagHead(6).loss(tags, best, present))


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_of_silver_relations_between_the_same_ends_pointers_learn_the_likeliest(order: slice) -> None:
    """Two COUNTs begin where each other does, and end apart: their starts share a target."""
    spans = (SpanTarget(0, 0, 0), SpanTarget(1, 2, 2), SpanTarget(1, 2, 3))
    relations = (RelationTarget(0, 1, 0, 0.2), RelationTarget(0, 2, 0, 0.9))
    batch = batch_of([Example(_IDS, spans, relations[order])])
    heads = torch.zeros(1, 4, 2, 8, 4, requires_grad=True)
    tails = torch.ones(1, 4, 2, 8, 4)
    (slope,) = torch.autograd.grad(
        PointerRelationHead(6, 2).loss(RelationVectors(heads, tails), batch), heads
    )
    certain = batch_of([Example(_IDS, spans, (relations[1],))])
    (expected,) = torch.autograd.grad(
        PointerRelationHead(6, 2).loss(RelationVectors(heads, tails), certain), heads
    )
    torch.testing.assert_close(slope[:, :, 0], expected[:, :, 0])


def test_the_biaffine_loss_by_hand() -> None:
    heads, tails = torch.zeros(2, 1, 4, 2, 8, 1)
    heads[0, 2, 0, 0], tails[0, 0, 0, 0] = 1.0, 2.0
    loss = BiaffineHead(6, 2).loss(RelationVectors(heads, tails), _BATCH)
    # The only head that may have a tail is the COUNT, and the METRIC is the only one that may be its.
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2)), rel=1e-5)


def test_windows_without_pairs_cost_nothing() -> None:
    batch = batch_of([Example(_IDS, (), ())])
    vectors = RelationVectors(*torch.randn(2, 1, 4, 2, 8, 4))
    assert BiaffineHead(6, 2).loss(vectors, batch).item() == 0


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("scale", [1.0, 200.0])
def test_the_multilabel_loss_by_its_definition(scale: float, soft: bool) -> None:
    torch.manual_seed(1)
    scores = (torch.randn(3, 4, 9, dtype=torch.float64) * scale).requires_grad_()
    right, present = torch.rand(3, 4, 9, dtype=torch.float64), torch.rand(3, 4, 9) < 0.4
    right = right * (right < 0.4) if soft else (right < 0.4).double()
    one = torch.zeros(3, 4, 1, dtype=torch.float64)
    expected = sum(
        torch.logsumexp(torch.cat((one, (signed + chance.log()).masked_fill(~present, -torch.inf)), -1), -1)
        for signed, chance in ((scores, 1 - right), (-scores, right))
    )
    assert isinstance(expected, torch.Tensor)
    found = multilabel(scores, right.float(), present)
    torch.testing.assert_close(found, expected.float(), rtol=1e-4, atol=1e-4)
    (slope,) = torch.autograd.grad(found.sum(), scores)
    (expected_slope,) = torch.autograd.grad(expected.sum(), scores)
    torch.testing.assert_close(slope, expected_slope, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_a_soft_class_scores_best_at_half_its_logit(probability: float) -> None:
    logit = math.log(probability / (1 - probability))
    score = torch.tensor([logit / 2], requires_grad=True)
    multilabel(score, torch.tensor([probability]), torch.tensor([True])).backward()
    assert score.grad is not None
    assert score.grad.item() == pytest.approx(0, abs=1e-5)


def test_a_doubtful_span_is_learned_by_pointers_alone() -> None:
    torch.manual_seed(1)
    doubted = batch_of([_BATCH.examples[0]._replace(doubtful=(SpanTarget(2, 0, 3, 0.3),))])
    present = torch.ones(1, 4, dtype=torch.bool)
    pointers = PointerHead(6, PointerSpans(size=4, longest=4))
    scores = pointers(torch.randn(1, 4, 6)).detach().requires_grad_()
    plain, soft = (
        torch.autograd.grad(pointers.loss(scores, batch, present), scores)[0] for batch in (_BATCH, doubted)
    )
    assert (plain - soft)[0, 0, 3, 2] > 0
    tags = torch.randn(1, 4, 7, 5).log_softmax(-1)
    assert torch.equal(TagHead(6).loss(tags, _BATCH, present), TagHead(6).loss(tags, doubted, present))
