"""The recipe: what posed and spontaneous expressions are, and nothing else is."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmcomp.synthetic import EMOTIONS, LABELS, PRESETS, compute_oracle, make_plan
from mmcomp.synthetic import plan as plan_module
from mmcomp.synthetic.expressions import (
    MUSCLES,
    SEPARATION,
    Habit,
    sample_expression,
)
from mmcomp.synthetic.head import load_head
from mmcomp.synthetic.presets import Cell

pytestmark = pytest.mark.slow

COUNTS = {
    'nvie-subset': (80, {'posed': 514, 'spontaneous': 514}),
    'nvie-full': (148, {'posed': 2101, 'spontaneous': 2102}),
    'spos': (7, {'posed': 84, 'spontaneous': 150}),
    'tiny': (6, {'posed': 36, 'spontaneous': 36}),
}
FULL = pytest.param('nvie-full', marks=pytest.mark.slow)


def test_counts_of_all_presets_are_listed_here():
    assert set(COUNTS) == set(PRESETS)


@pytest.mark.parametrize('preset', ['nvie-subset', FULL, 'spos', 'tiny'])
def test_counts_by_subject_label_and_emotion(preset):
    subjects, labels = COUNTS[preset]
    table = make_plan(preset, seed=3).pairs()
    assert table['subject'].nunique() == subjects
    assert table['label'].value_counts().to_dict() == labels
    assert table['sample_id'].is_unique
    cells = table.groupby(['subject', 'emotion', 'label']).size()
    assert len(cells) == subjects * len(EMOTIONS) * len(LABELS)
    spread = cells.groupby(['emotion', 'label']).agg(['min', 'max'])
    assert (spread['max'] - spread['min'] <= 1).all()


@pytest.mark.parametrize('preset', ['nvie-subset', FULL, 'tiny'])
def test_pairs_come_in_couples_of_both_labels(preset):
    table = make_plan(preset).pairs()
    cells = table.pivot_table(
        index=['subject', 'emotion'], columns='label', values='onset', aggfunc='count'
    )
    odd = (cells['spontaneous'] - cells['posed']).value_counts().drop(0)
    assert odd.to_dict() == ({1: 1} if preset == 'nvie-full' else {})


def test_spos_has_the_smiles_that_published_error_rates_imply():
    table = make_plan('spos').pairs()
    smiles = table[table['emotion'] == 'happiness']['label'].value_counts()
    assert smiles.to_dict() == {'spontaneous': 66, 'posed': 14}


def test_moments_of_the_recipe():
    rng = np.random.default_rng(0)
    habit = Habit(0.0, 0.0, 0.0)
    for label, sign in (('posed', -1), ('spontaneous', 1)):
        c = sign * SEPARATION
        drawn = [sample_expression(rng, 'happiness', label, habit) for _ in range(4000)]
        log_intensity = np.log([one.intensity for one in drawn])
        gain = np.array([one.reliable_gain for one in drawn])
        tilt = np.array([one.asymmetry for one in drawn])
        assert log_intensity.mean() == pytest.approx(np.log(0.8) - 0.1 * c, abs=0.015)
        assert log_intensity.std() == pytest.approx(
            0.20 if label == 'posed' else 0.26, rel=0.04
        )
        assert np.log(gain / (1 - gain)).mean() == pytest.approx(
            -0.4 + 0.95 * c, abs=0.05
        )
        assert tilt.mean() == pytest.approx(0.08 if label == 'posed' else 0, abs=0.01)
        assert tilt.std() == pytest.approx(0.15 if label == 'posed' else 0.03, rel=0.05)


@pytest.mark.slow
def test_half_the_difference_where_no_muscle_is_reliable():
    def gap(emotion):
        rng = np.random.default_rng(1)
        means = []
        for label in LABELS:
            gain = np.array(
                [
                    sample_expression(rng, emotion, label, Habit(0, 0, 0)).reliable_gain
                    for _ in range(3000)
                ]
            )
            means.append(np.log(gain / (1 - gain)).mean())
        return means[1] - means[0]

    assert gap('surprise') == pytest.approx(gap('fear') / 2, rel=0.06)
    assert gap('disgust') == pytest.approx(gap('anger') / 2, rel=0.06)


def test_activations_are_legal_muscles():
    assert set(MUSCLES) <= set(load_head().names('expression'))
    rng = np.random.default_rng(2)
    for emotion in EMOTIONS:
        for label in LABELS:
            drawn = sample_expression(rng, emotion, label, Habit(0, 0, 0)).activations
            assert set(drawn) <= set(MUSCLES)
            assert 0 <= min(drawn.values()) <= max(drawn.values()) <= 1


def test_positive_asymmetry_is_stronger_on_the_left():
    rng = np.random.default_rng(3)
    drawn = sample_expression(rng, 'happiness', 'posed', Habit(0, 0, 0.3)).activations
    assert drawn['mouthSmileLeft'] > drawn['mouthSmileRight']


@pytest.mark.slow
@pytest.mark.parametrize('seed', [0, 1])
def test_oracle_is_about_three_percent(seed, subset_coefficients):
    table = subset_coefficients
    if seed:
        table = make_plan('nvie-subset', seed=seed).coefficients()
    oracle = compute_oracle(table)
    for wrong, total in (error.values() for error in oracle.values()):
        assert total == 1028
        assert 0.02 < wrong / total < 0.05


def test_oracle_is_tested_on_subjects_that_it_does_not_know():
    """Where only who it is tells the label, nothing is known of new people."""
    rng = np.random.default_rng(0)
    subjects = np.tile(np.arange(20), 10)
    labels = rng.permutation(np.tile(LABELS, 10))[subjects]
    habits = rng.uniform(0, 1, (20, len(MUSCLES)))[subjects]
    table = pd.DataFrame(
        habits + rng.normal(0, 0.01, habits.shape),
        columns=[f'expression.{muscle}' for muscle in MUSCLES],
    )
    table = table.assign(subject=subjects, label=labels, emotion='happiness')
    for counts in compute_oracle(table).values():
        assert counts['total'] == 200
        assert counts['wrong'] > 60


def test_labels_do_not_touch_the_nuisance(monkeypatch):
    def turned(preset, rng):
        other = dict(zip(LABELS, reversed(LABELS)))
        return [
            [Cell(cell.subject, cell.emotion, other[cell.label]) for cell in own]
            for own in design(preset, rng)
        ]

    design = plan_module.design
    plan = make_plan('tiny')
    monkeypatch.setattr(plan_module, 'design', turned)
    swapped = make_plan('tiny')
    assert swapped.identities == plan.identities
    for one, other in zip(plan.all_samples(), swapped.all_samples(), strict=True):
        assert one.label != other.label
        assert one.expression != other.expression
        assert (one.setting, one.onset, one.apex) == (
            other.setting,
            other.onset,
            other.apex,
        )


def nuisance(coefficients):
    """All columns that are no truth about the expression, as numbers."""
    table = coefficients.filter(regex=r'^(setting|onset|apex)\.')
    return pd.get_dummies(table).to_numpy(dtype=float)


@pytest.mark.slow
@pytest.mark.parametrize(
    'model',
    [
        make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000)),
        HistGradientBoostingClassifier(random_state=0, max_iter=50),
    ],
    ids=['logistic', 'boosting'],
)
@pytest.mark.parametrize('columns', ['all', 'onset'])
def test_nuisance_alone_is_chance(model, columns, subset_coefficients):
    """Within 2.6 standard errors of one half, by subject."""
    table = subset_coefficients
    values = nuisance(table if columns == 'all' else table.filter(like='onset.'))
    label, subject = table['label'], table['subject']
    guess = cross_val_predict(model, values, label, groups=subject, cv=GroupKFold(10))
    error = (guess != label).mean()
    assert abs(error - 0.5) < 2.6 * np.sqrt(0.25 / len(table))


def test_levels_scale_the_same_draws():
    lab, hard = (make_plan('tiny', level=level) for level in ('lab', 'hard'))
    assert lab.identities == hard.identities
    for one, other in zip(lab.all_samples(), hard.all_samples(), strict=True):
        assert one.expression == other.expression
        assert one.setting == other.setting
        assert one.apex.rest == other.apex.rest
        for name in ('pitch', 'yaw', 'roll'):
            shared = getattr(one.setting, name)
            change = getattr(one.apex, name) - shared
            assert getattr(other.apex, name) - shared == pytest.approx(2 * change)
        assert other.apex.eye_left_x == pytest.approx(2 * one.apex.eye_left_x)


def test_no_subject_is_shared():
    plans = [make_plan('tiny'), make_plan('tiny', seed=1), make_plan('spos')]
    looks = [identity.look for plan in plans for identity in plan.identities.values()]
    assert len(set(looks)) == len(looks) == 6 + 6 + 7


def test_identity_weights_stay_small(subset_plan):
    for identity in subset_plan.identities.values():
        races = [
            w
            for name, w in identity.shape.items()
            if name.count('-') == 2
            and name.split('-')[0] in ('african', 'asian', 'caucasian')
        ]
        assert sum(races) == pytest.approx(1)
        local = [
            w
            for name, w in identity.shape.items()
            if load_head().groups[name] != 'macro'
        ]
        assert max(local) <= 0.4


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('nvie',), r"'nvie'.*nvie-subset"),
        (('tiny', 'easy'), r"'easy'.*lab"),
        (('tiny', 'lab', -1), '-1'),
        (('tiny', 'lab', 2**32), '4294967296'),
        (('tiny', 'lab', 0.5), '0.5'),
    ],
)
def test_errors_say_what_is_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_plan(*arguments)


def test_unknown_emotion_and_label():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r'boredom.*happiness'):
        sample_expression(rng, 'boredom', 'posed', Habit(0, 0, 0))
    with pytest.raises(ValueError, match=r'faked.*spontaneous'):
        sample_expression(rng, 'fear', 'faked', Habit(0, 0, 0))
