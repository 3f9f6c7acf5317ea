"""What a run puts into its folder is whole, on the disk, and tells by which emolab it was learnt."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emolab.core.disk import is_ours
from emolab.core.errors import ConfigError
from emolab.models.classifier import CARD, WEIGHTS, Epoch
from emolab.training import checkpoint, fold_work, learning, run_examples, run_folder
from emolab.training.fold_work import FoldTask, work
from emolab.training.learning import CHECKPOINT
from emolab.training.order import Order
from emolab.training.run import train
from emolab.training.run_folder import CONFIG, METRICS, PREDICTIONS, PROGRESS, RESULT, begin
from tests.training.corpora import WRITERS, by_chance, heard

FIRST = {"version": "0.1.0", "commit": "a" * 40, "is_changed": False}
SECOND = {"version": "0.2.0", "commit": "b" * 40, "is_changed": True}


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Order:
    place = tmp_path_factory.mktemp("corpus")
    WRITERS["hku956"](place / "HKU956", heard(4, 4, by_chance))
    return Order("svm", "hku956", place / "HKU956", "valence", folds=3, cache=place / "cache")


def learnt_by(program: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on it is another emolab."""
    monkeypatch.setattr(run_folder, "program", lambda: dict(program))


def result(out: Path, fold: int) -> Path:
    return out / f"fold-{fold:02d}" / RESULT


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def card(out: Path) -> str:
    return (out / run_folder.CARD).read_text(encoding="utf-8")


def test_a_run_of_two_programs_names_both_in_an_alarm_and_on_the_card(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt_by(FIRST, monkeypatch)
    whole = train(order, tmp_path, with_final=False)
    assert read(result(tmp_path, 0))["programs"] == [FIRST]
    assert "programs" not in {one.kind for one in whole.alarms}
    assert f"- learnt by emolab 0.1.0, commit {'a' * 40}\n" in card(tmp_path)

    result(tmp_path, 1).unlink()
    learnt_by(SECOND, monkeypatch)
    mixed = train(order, tmp_path)
    assert read(result(tmp_path, 0))["programs"] == [FIRST]
    assert read(result(tmp_path, 1))["programs"] == [SECOND]
    (alarm,) = [one for one in mixed.alarms if one.kind == "programs"]
    first, second = f"emolab 0.1.0, commit {'a' * 40}", f"emolab 0.2.0, commit {'b' * 40}, with changes that"
    assert alarm.level == "amber"
    assert f"fold 0, fold 2 by {first}; fold 1, `final/` by {second}" in alarm.text
    assert alarm.text in {one["text"] for one in mixed.metrics["alarms"]}
    assert "**AMBER** (programs)" in card(tmp_path)
    assert f"- learnt by {first}; and by {second}" in card(tmp_path)
    assert read(tmp_path / CONFIG)["program"] == FIRST


def test_folds_learnt_before_programs_were_noted_count_as_of_the_one_that_began_the_run(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt_by(FIRST, monkeypatch)
    train(order, tmp_path, with_final=False)
    for fold in (0, 2):
        facts = read(result(tmp_path, fold))
        del facts["programs"]
        result(tmp_path, fold).write_text(json.dumps(facts))
    again = train(order, tmp_path, with_final=False)
    assert "programs" not in {one.kind for one in again.alarms}
    learnt_by(SECOND, monkeypatch)  # it learns nothing
    again = train(order, tmp_path, with_final=False)
    assert "programs" not in {one.kind for one in again.alarms}
    assert f"learnt by emolab 0.1.0, commit {'a' * 40}; judged by emolab 0.2.0" in card(tmp_path)
    result(tmp_path, 1).unlink()
    (alarm,) = [one for one in train(order, tmp_path, with_final=False).alarms if one.kind == "programs"]
    assert f"fold 0, fold 2 by emolab 0.1.0, commit {'a' * 40}; fold 1 by emolab 0.2.0" in alarm.text


@pytest.mark.parametrize("is_noted", [True, False])
def test_a_fold_that_went_on_from_another_programs_checkpoint_names_both(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_noted: bool
) -> None:
    monkeypatch.setattr(learning, "KEPT_EVERY_S", 0.0)
    long = replace(order, model="feature_cnn", epochs=4)
    digest, _ = run_examples.read(long)
    task = FoldTask(long, tmp_path, digest, 0, 0)
    learnt_by(FIRST, monkeypatch)
    with monkeypatch.context() as patched, pytest.raises(InterruptedError):
        patched.setattr(fold_work._Told, "__call__", killed_in_the_second)
        work(task)
    kept = task.folder / CHECKPOINT
    tensors, facts = checkpoint.load(kept)
    assert facts["programs"] == [FIRST]
    if not is_noted:
        del facts["programs"]
        checkpoint.save(kept, tensors, facts)
    learnt_by(SECOND, monkeypatch)
    done = work(task)
    assert len(done["history"]) == 4
    assert done["programs"] == [FIRST if is_noted else run_folder.NOT_NOTED, SECOND]


def killed_in_the_second(_: Any, line: Epoch) -> None:
    if line.epoch == 2:
        raise InterruptedError


def test_a_program_is_looked_at_once_and_told_as_it_was_then(monkeypatch: pytest.MonkeyPatch) -> None:
    before = run_folder.program()
    monkeypatch.setattr(run_folder, "_git", lambda *_: "c" * 40)  # somebody commits meanwhile
    assert run_folder.program() == before
    before["commit"] = "mine"
    assert run_folder.program()["commit"] != "mine"


def test_a_run_killed_in_its_very_first_write_takes_its_folder_again(tmp_path: Path) -> None:
    half = tmp_path / f"{CONFIG}.part"
    half.write_text('{"order": {"mod')
    config = {"order": {"model": "svm"}, "data_sha256": "0"}
    begin(tmp_path, config)
    assert read(tmp_path / CONFIG) == config and not half.exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / half.name).write_text("{")
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds thesis\.txt"):
        begin(tmp_path / "other", config)


def test_another_order_is_told_by_what_it_has_or_lacks(tmp_path: Path) -> None:
    begin(tmp_path, {"order": {"model": "rtcag", "options": {"depth": 2}}})
    with pytest.raises(ConfigError, match=r"with other options \(\{'depth': 2\}, not None\)"):
        begin(tmp_path, {"order": {"model": "rtcag"}})
    with pytest.raises(ConfigError, match=r"with other half \(None, not True\); choose"):
        begin(tmp_path, {"order": {"model": "rtcag", "options": {"depth": 2}, "half": True}})


@pytest.mark.parametrize("names", [(), (CONFIG,), (CONFIG, run_folder.FOLDS, "fold-00"), ("thesis.txt",)])
def test_a_start_that_fails_takes_back_its_own_beginning_and_nothing_else(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).write_text("of before")
    for _ in range(2):
        with pytest.raises(ConfigError, match="of no use"), run_folder.own(tmp_path):
            (tmp_path / CONFIG).write_text("mine")
            (tmp_path / run_folder.FOLDS).write_text("mine")
            raise ConfigError("of no use")
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_what_was_learnt_before_a_run_failed_stays_with_its_beginning(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "svm"
    with pytest.raises(InterruptedError), run_folder.own(out):
        (out / CONFIG).write_text("{}")
        with run_folder.own(out / "fold-00"):
            (out / "fold-00" / RESULT).write_text("{}")
        with run_folder.own(out / "fold-01"):
            raise InterruptedError
    assert {path.name for path in out.rglob("*")} >= {CONFIG, "fold-00", RESULT}
    assert not (out / "fold-01").exists()


def test_whoever_stops_a_run_finds_its_beginning(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), run_folder.own(tmp_path / "run"):
        (tmp_path / "run" / CONFIG).write_text("{}")
        raise KeyboardInterrupt
    assert (tmp_path / "run" / CONFIG).is_file()


def test_a_lock_that_was_taken_back_meanwhile_is_nobodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform == "win32":
        pytest.skip("a lock that is open cannot be taken back there")

    def late(lock: Any) -> bool:
        (tmp_path / run_folder.LOCK).unlink()  # by a start that has just failed
        return is_ours(lock)

    monkeypatch.setattr(run_folder, "is_ours", late)
    with pytest.raises(ConfigError, match="another process"), run_folder.own(tmp_path):
        raise AssertionError


class Disk:
    """Notes which files of a folder take their place, in order, and what the disk was asked to keep."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.appeared: list[Path] = []
        self.was_kept: dict[Path, bool] = {}  # the file was, before it appeared
        self.stays: dict[Path, bool] = {}  # its folder was, since it appeared
        self._kept: set[int] = set()
        self._sync, self._replace = os.fsync, os.replace
        monkeypatch.setattr(os, "fsync", self.sync)
        monkeypatch.setattr(os, "replace", self.replace)

    def sync(self, handle: int) -> None:
        self._sync(handle)
        number = os.fstat(handle).st_ino
        self._kept.add(number)
        self.stays |= {path: True for path in self.appeared if path.parent.stat().st_ino == number}

    def replace(self, source: Any, target: Any) -> None:
        path, number = Path(target), Path(source).stat().st_ino
        self._replace(source, target)
        if self.folder not in path.parents:
            return
        self.appeared.append(path)
        self.was_kept[path], self.stays[path] = number in self._kept, False
        self._kept.discard(number)


def test_what_appears_in_a_run_is_on_the_disk_and_the_mark_of_the_end_comes_last(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = (tmp_path / "run").resolve()
    disk = Disk(out, monkeypatch)
    train(replace(order, model="feature_cnn", epochs=1), out, with_final=False)
    appeared = [path for path in disk.appeared if path.name != PROGRESS]
    assert {CARD, WEIGHTS, RESULT, PREDICTIONS, METRICS, "confusion.svg"} <= {path.name for path in appeared}
    assert [path for path in appeared if not disk.was_kept[path]] == []
    if sys.platform != "win32":  # folders cannot be opened there
        assert [path for path in appeared if not disk.stays[path] and path.name != CHECKPOINT] == []
    assert appeared[-1] == out / METRICS
    names = [path.relative_to(out).as_posix() for path in appeared]
    for fold in ("fold-00", "fold-01", "fold-02"):
        assert (
            names.index(f"{fold}/{WEIGHTS}") < names.index(f"{fold}/{CARD}") < names.index(f"{fold}/{RESULT}")
        )


@pytest.mark.skipif(sys.platform == "win32", reason="files have no mode there")
@pytest.mark.parametrize("mask", [0o022, 0o007])
def test_every_file_of_a_run_is_as_open_to_others_as_its_user_wants_files_to_be(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mask: int
) -> None:
    monkeypatch.setattr(fold_work, "_swept", lambda folder: None)  # of a run that was killed
    before = os.umask(mask)
    try:
        train(replace(order, model="feature_cnn", epochs=1), tmp_path / "run")
    finally:
        os.umask(before)
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert {CARD, WEIGHTS, CHECKPOINT, PREDICTIONS, METRICS} <= {path.name for path in files}
    assert [path for path in files if path.stat().st_mode & 0o777 != 0o666 & ~mask] == []


def test_a_run_that_dies_while_it_writes_its_table_does_not_count_as_finished(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr("pandas.DataFrame.to_parquet", full)
        train(order, tmp_path, with_final=False)
    assert not (tmp_path / METRICS).exists()
    train(order, tmp_path, with_final=False)
    assert (tmp_path / METRICS).is_file() and (tmp_path / PREDICTIONS).is_file()
