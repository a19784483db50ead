from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from dermseg.metrics import area_under_roc, average_precision


def test_counts_that_are_worked_out_by_hand() -> None:
    # Positives at levels 0 and 2, negatives at 0 and 1: of 4 pairs, 2 won, 1 tied, 1 lost.
    assert area_under_roc([1, 0, 1], [1, 1, 0]) == 0.625
    # Recall 1/2 at precision 1, then the other half at 2 of 4.
    assert average_precision([1, 0, 1], [1, 1, 0]) == 0.75


def test_weights_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 20, (3, 200))
    target = rng.random((3, 200)) < levels / 30
    weights = rng.integers(0, 4, (3, 200))
    tables = np.zeros((3, 2, 20))
    for row in range(3):
        np.add.at(tables[row], (target[row].astype(int), levels[row]), weights[row])
    auc = area_under_roc(tables[:, 1], tables[:, 0])
    precision = average_precision(tables[:, 1], tables[:, 0])
    for row in range(3):
        given = target[row], levels[row]
        assert auc[row] == pytest.approx(roc_auc_score(*given, sample_weight=weights[row]))
        assert precision[row] == pytest.approx(
            average_precision_score(*given, sample_weight=weights[row])
        )


def test_one_kind_alone_is_undefined() -> None:
    assert np.isnan(area_under_roc([0, 0], [1, 2]))
    assert np.isnan(area_under_roc([1, 2], [0, 0]))
    assert np.isnan(average_precision([0, 0], [1, 2]))
    assert average_precision([1, 2], [0, 0]) == 1
