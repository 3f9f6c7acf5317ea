"""What is known of a model by its papers: which one is meant, and papers that are none of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emolab.core.errors import ModelError
from emolab.models.regression import Mlr
from emolab.training.opened import DEFAULT, folder_of, look
from tests.training import listened
from tests.training.test_loading import figures


def test_default_is_the_one_that_ships_whatever_lies_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    listened.svm(tmp_path / DEFAULT)
    assert folder_of(DEFAULT).name == "hku956" and look(DEFAULT).facts["corpus"] == "HKU956"
    assert folder_of("./default") == Path("default") and not look("./default").facts


def test_a_regression_is_told_to_be_one_and_is_not_to_be_trained_again(tmp_path: Path) -> None:
    Mlr().fit(figures(columns=28)).save(tmp_path)
    with pytest.raises(
        ModelError, match="holds mlr, which guesses ratings; here a model of classes is wanted"
    ):
        look(tmp_path)


@pytest.mark.parametrize(
    "people",
    [
        {"participants": [[1], {}]},
        {"participants": {"a": 1}},
        {"participants": [], "by_name": [1]},
        {"participants": [], "alarms": 3},
    ],
)
def test_people_that_no_run_has_written_are_refused(people: object, tmp_path: Path) -> None:
    place = listened.svm(tmp_path) / "people.json"
    place.write_text(json.dumps(people))
    with pytest.raises(ModelError, match=r"people\.json is not as a run has written it; copy it again"):
        look(tmp_path)
