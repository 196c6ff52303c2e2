"""Metrics against scikit-learn, definitions in plain Python, and cases by hand."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine import dist
from mmengine.dataset import DefaultSampler
from mmpretrain.structures import DataSample
from sklearn import metrics as sk

from mmcomp.evaluation import functional
from mmcomp.registry import METRICS


@st.composite
def cases(draw, classes=st.integers(2, 4)):
    """Labels and predictions; any class may be absent from either."""
    count, size = draw(classes), draw(st.integers(1, 30))
    index = st.integers(0, count - 1)
    lists = st.lists(index, min_size=size, max_size=size)
    return np.array(draw(lists)), np.array(draw(lists))


@st.composite
def scored(draw, classes=st.integers(2, 4)):
    """Labels, and scores from few values, so that many are tied."""
    count, size = draw(classes), draw(st.integers(2, 20))
    labels = draw(st.lists(st.integers(0, count - 1), min_size=size, max_size=size))
    values = st.lists(
        st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=count, max_size=count
    )
    return np.array(labels), np.array([draw(values) for _ in labels])


def recalls(labels, predicted):
    """Share of each class that is found, by class, without those that are absent."""
    return [np.mean(predicted[labels == c] == c) for c in sorted(set(labels))]


def f1_scores(labels, predicted):
    """2 TP / (2 TP + FP + FN) of each class that is in either."""
    result = []
    for c in sorted({*labels, *predicted}):
        hit = np.sum((labels == c) & (predicted == c))
        result.append(2 * hit / (np.sum(labels == c) + np.sum(predicted == c)))
    return result


def pairwise_auc(positive, scores):
    """How often a positive has the higher score; a tie counts one half."""
    pairs = list(itertools.product(scores[positive], scores[~positive]))
    return np.mean([(a > b) + (a == b) / 2 for a, b in pairs])


@given(cases())
def test_errors_are_those_of_scikit_learn(case):
    labels, predicted = case
    wrong, total = functional.error_counts(labels, predicted)
    assert (wrong, total) == (sk.zero_one_loss(*case, normalize=False), len(labels))
    assert isinstance(wrong, int)
    assert wrong / total == pytest.approx(1 - sk.accuracy_score(labels, predicted))


@given(cases())
def test_majority_error_is_that_of_the_best_constant_answer(case):
    labels, _ = case
    constant = [sk.accuracy_score(labels, np.full_like(labels, c)) for c in range(4)]
    assert functional.majority_error(labels) == pytest.approx(1 - max(constant))


@given(cases())
@pytest.mark.filterwarnings('ignore:y_pred contains classes not in y_true')
@pytest.mark.filterwarnings('ignore:A single label was found')
def test_uar_is_balanced_accuracy(case):
    result = functional.uar(*case)
    assert result == pytest.approx(sk.balanced_accuracy_score(*case))
    assert result == pytest.approx(np.mean(recalls(*case)))


@given(cases())
def test_uf1_is_the_macro_f1_of_scikit_learn(case):
    result = functional.uf1(*case)
    assert result == pytest.approx(sk.f1_score(*case, average='macro'))
    assert result == pytest.approx(np.mean(f1_scores(*case)))


@given(scored())
def test_auc_counts_pairs(case):
    labels, scores = case
    present = sorted(set(labels))
    result = functional.auc(labels, scores)
    if len(present) == 1:
        assert math.isnan(result)
    elif scores.shape[1] == 2:
        assert result == pytest.approx(pairwise_auc(labels == 1, scores[:, 1]))
    else:
        expected = [pairwise_auc(labels == c, scores[:, c]) for c in present]
        assert result == pytest.approx(np.mean(expected))


def test_auc_of_several_classes_is_one_against_rest():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 50)
    scores = rng.dirichlet([1, 1, 1], 50)
    scores[np.arange(50), labels] += 0.2
    scores /= scores.sum(1, keepdims=True)
    expected = sk.roc_auc_score(labels, scores, multi_class='ovr', average='macro')
    assert functional.auc(labels, scores) == pytest.approx(expected)
    assert expected > 0.6


def test_known_cases_by_hand():
    labels, predicted = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    assert functional.error_counts(labels, predicted) == (1, 4)
    assert functional.majority_error(labels) == 1 / 4
    assert functional.uar(labels, predicted) == pytest.approx((2 / 3 + 1) / 2)
    assert functional.uf1(labels, predicted) == pytest.approx((4 / 5 + 2 / 3) / 2)
    # The higher score of the second class is that of the second class: 3 pairs,
    # one in order, one tied, one reversed.
    scores = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [0.5, 0.5]])
    assert functional.auc(labels, scores) == pytest.approx(0.5)
    assert functional.auc(labels, np.eye(2)[labels]) == 1
    assert functional.auc(labels, np.eye(2)[1 - labels]) == 0


@pytest.mark.parametrize(
    ('labels', 'predicted', 'uar', 'uf1'),
    [
        # The third class of three is absent and never predicted.
        ([0, 0, 1], [0, 1, 1], (1 / 2 + 1) / 2, 2 / 3),
        # One class only, all found.
        ([1, 1], [1, 1], 1, 1),
        # One class only, and a class predicted that has no samples: recall leaves it
        # out, F1 counts it with 0.
        ([0, 0, 0, 0], [0, 0, 0, 2], 3 / 4, (6 / 7 + 0) / 2),
        # A class that is never predicted counts with 0 in both.
        ([0, 0, 1], [0, 0, 0], 1 / 2, (4 / 5 + 0) / 2),
    ],
)
def test_absent_and_unpredicted_classes(labels, predicted, uar, uf1):
    assert functional.uar(labels, predicted) == pytest.approx(uar)
    assert functional.uf1(labels, predicted) == pytest.approx(uf1)


@pytest.mark.parametrize('name', ['error_counts', 'uar', 'uf1', 'auc'])
@pytest.mark.parametrize(('labels', 'given'), [([], []), ([0, 1], [0])])
def test_empty_or_unequal_input_is_refused(name, labels, given):
    given = np.eye(2)[given] if name == 'auc' else given
    message = f'{len(labels)} labels and {len(given)} predictions'
    with pytest.raises(ValueError, match=message):
        getattr(functional, name)(labels, given)


def test_majority_error_of_nothing_is_refused():
    with pytest.raises(ValueError, match='0 labels'):
        functional.majority_error([])


# The registered metrics.

LABELS = [0, 0, 0, 1, 1, 0, 1]
SECOND = [0.9, 0.1, 0.4, 0.8, 0.3, 0.7, 0.7]  # scores of the second class
NAMES = ('ErrorRate', 'UAR', 'UF1', 'AUC')


def samples(indices=range(len(LABELS))):
    """Predictions as a network hands them over, of some of the pairs above."""
    return [
        DataSample(metainfo=dict(sample_id=f'p{i}', subject=f's{i // 2}'))
        .set_gt_label(LABELS[i])
        .set_pred_score(torch.tensor([1 - SECOND[i], SECOND[i]]))
        .to_dict()
        for i in indices
    ]


def evaluate(name, indices=range(len(LABELS)), size=None, **kwargs):
    metric = METRICS.build(dict(type=f'mmcomp.{name}', **kwargs))
    indices = list(indices)
    for start in range(0, len(indices), 2):
        metric.process(None, samples(indices[start : start + 2]))
    return metric.evaluate(len(LABELS) if size is None else size), metric


def expected_metrics():
    predicted = np.array(SECOND) > 0.5
    return {
        'pair/error_rate': 100 * sk.zero_one_loss(LABELS, predicted),
        'pair/wrong': 3,
        'pair/total': 7,
        'pair/majority_error': 100 * 3 / 7,
        'pair/uar': 100 * sk.balanced_accuracy_score(LABELS, predicted),
        'pair/uf1': 100 * sk.f1_score(LABELS, predicted, average='macro'),
        'pair/auc': 100 * sk.roc_auc_score(LABELS, SECOND),
    }


def test_registered_metrics_are_in_percent_and_prefixed():
    found = {}
    for name in NAMES:
        found |= evaluate(name)[0]
    assert found == pytest.approx(expected_metrics())
    assert evaluate('UAR', prefix='sub@1')[0].keys() == {'sub@1/uar'}


def test_auc_of_one_class_is_nan_not_an_error():
    result, _ = evaluate('AUC', [0, 1, 2], 3)
    assert math.isnan(result['pair/auc'])
    assert evaluate('UAR', [1, 2], 2)[0] == {'pair/uar': 100}


def test_metrics_start_anew_after_each_evaluation():
    metric = METRICS.build(dict(type='mmcomp.ErrorRate'))
    for indices, wrong in (([0, 5], 2), ([1, 2], 0)):
        metric.process(None, samples(indices))
        assert metric.evaluate(2)['pair/wrong'] == wrong


def test_pairs_without_label_are_refused_by_name():
    sample = samples([3])[0]
    del sample['gt_label']
    metric = METRICS.build(dict(type='mmcomp.UAR'))
    with pytest.raises(ValueError, match="sample 'p3' has no gt_label"):
        metric.process(None, [sample])


@pytest.mark.parametrize('classes', [('posed', 'spontaneous'), None])
def test_prediction_table_has_a_row_for_each_pair(classes):
    metric = METRICS.build(dict(type='mmcomp.PredictionTable'))
    metric.dataset_meta = classes and dict(classes=classes)
    metric.process(None, samples())
    assert metric.evaluate(len(LABELS)) == {}
    first, second = classes or ('0', '1')
    table = metric.table
    assert table.columns.tolist() == [
        'sample_id', 'subject', 'label', f'score_{first}', f'score_{second}',
        'predicted',
    ]  # fmt: skip
    assert table['sample_id'].tolist() == [f'p{i}' for i in range(7)]
    assert table['subject'].tolist() == ['s0', 's0', 's1', 's1', 's2', 's2', 's3']
    assert table['label'].tolist() == [second if i else first for i in LABELS]
    predicted = [second if s > 0.5 else first for s in SECOND]
    assert table['predicted'].tolist() == predicted
    np.testing.assert_allclose(table[f'score_{second}'], SECOND, rtol=1e-6)
    np.testing.assert_allclose(table[f'score_{first}'], 1 - np.array(SECOND), rtol=1e-6)


def _evaluate_in_process(rank, world, folder):
    """One of several processes: its share as MMEngine's sampler pads it."""
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/meeting', rank=rank, world_size=world
    )
    try:
        share = list(DefaultSampler(range(len(LABELS)), shuffle=False))
        found, untruncated = {}, {}
        for name in NAMES:
            found |= evaluate(name, share)[0]
            untruncated |= evaluate(name, share, size=len(share) * world)[0]
        _, metric = evaluate('PredictionTable', share)
        ids = None if metric.table is None else metric.table['sample_id'].tolist()
        torch.save((share, found, untruncated, ids), f'{folder}/{rank}.pt')
        dist.barrier()
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_gathered_from_three_processes_each_pair_counts_once(tmp_path):
    """Seven pairs on three processes: the sampler repeats the first two.

    Both are counted again where the padding is kept, and one of them is an error.
    """
    world = 3
    torch.multiprocessing.spawn(_evaluate_in_process, (world, tmp_path), world)
    seen = [torch.load(tmp_path / f'{r}.pt', weights_only=False) for r in range(world)]
    assert sorted(i for share, *_ in seen for i in share) == [0, 0, 1, 1, 2, 3, 4, 5, 6]
    for _, found, untruncated, _ in seen:
        assert found == pytest.approx(expected_metrics())
        assert untruncated['pair/total'] == 9
        assert untruncated['pair/error_rate'] == pytest.approx(100 * 4 / 9)
    tables = [ids for *_, ids in seen]
    assert tables == [[f'p{i}' for i in range(7)], None, None]
