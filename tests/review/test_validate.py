"""The face beside the report, on a real face in a recorded video."""

from __future__ import annotations

import hashlib
import math
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from emolab.core.errors import ConfigError, NoWeights, RecordingError
from emolab.faces.card import Card
from emolab.recording.label_ledger import ledgers, read
from emolab.recording.reader import Session
from emolab.review import validate as room
from emolab.review.checks import Validation, from_label
from emolab.review.desk import Desk
from emolab.review.validate import Cancelled, lane_of, validate
from tests.faces import people
from tests.review import watched
from tests.training.listened import growing


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return watched.record(tmp_path_factory.mktemp("study") / "P07_session-2.h5")


@pytest.fixture(scope="module")
def found(session: Path) -> Validation:
    return validate(session, people.ByLight(), detector=people.detector())


@pytest.fixture
def short(tmp_path: Path) -> Path:
    return watched.record(tmp_path / "P07_session-2.h5", ["masked", "glad"])


def test_each_clip_gets_its_verdict(found: Validation) -> None:
    assert {check.clip: (check.said, check.face, check.verdict) for check in found.clips} == {
        clip: (said, face, verdict) for clip, (_, said, face, verdict) in watched.CLIPS.items()
    }
    assert found.counts == {"agree": 2, "weak": 1, "conflict": 2, "unknown": 4}
    assert found.damage == () and found.problem == ""


def test_a_face_that_is_not_there_is_unknown_and_never_guessed(found: Validation) -> None:
    checks = {check.clip: check for check in found.clips}
    assert checks["away"].coverage == 0.0 and checks["away"].probabilities is None
    assert "no face" in checks["away"].why and "several faces" in checks["visited"].why
    assert checks["fled"].coverage == pytest.approx(0.4) and "50%" in checks["fled"].why
    assert checks["glad"].coverage == 1.0 and checks["glad"].why == ""


def test_conflicts_wait_in_a_queue_the_surest_first(found: Validation) -> None:
    assert [check.clip for check in found.conflicts] == ["denied", "masked"]
    assert found.conflicts[0].confidence > found.conflicts[1].confidence > 0.5


def test_kappa_and_table_are_over_the_clips_on_which_both_have_spoken(found: Validation) -> None:
    assert found.table == ((0, 0, 1), (0, 1, 1), (1, 0, 1))
    assert found.agreeing == 2 / 5
    # by hand: p_o = 2/5, p_e = (1·1 + 2·1 + 2·3)/25 = 9/25
    assert found.kappa.value == pytest.approx((2 / 5 - 9 / 25) / (1 - 9 / 25))
    # linear: the costs seen are 1 for the weak one and 2 for each conflict
    rows, columns = [1, 2, 2], [1, 1, 3]
    expected = sum(abs(i - j) * rows[i] * columns[j] for i in range(3) for j in range(3)) / 5
    assert found.kappa_linear.value == pytest.approx(1 - 5 / expected)
    assert found.kappa.units == 5 and math.isnan(found.kappa.low), "five clips have no interval"


def test_the_policy_drops_conflicts_and_changes_no_label(found: Validation) -> None:
    assert len(found.remaining) == len(found.clips)
    dropped = replace(found, policy="drop")
    assert [c.clip for c in found.clips if c not in dropped.remaining] == ["masked", "denied"]
    assert dropped.clips == found.clips


def test_the_lane_tells_all_of_it_by_model_and_weights(found: Validation, session: Path) -> None:
    assert found.lane == lane_of("by-light") == "face-by-light"
    (path,) = ledgers(session)
    (act,) = read(path).acts
    assert act.by["model"] == "by-light" and act.by["weights"] == people.ByLight.card.weights_sha256
    labels = sorted(Desk(session, found.lane).labels.values(), key=lambda label: label.start_s)
    assert [(label.clip, label.tags[:2]) for label in labels] == [
        (check.clip, (check.face, check.verdict)) for check in found.clips
    ]
    for label, check in zip(labels, found.clips, strict=True):
        again = from_label(label, check.said)
        assert (again.clip, again.face, again.why) == (check.clip, check.face, check.why)
        assert again.verdict == check.verdict
        assert again.confidence == pytest.approx(check.confidence, abs=1e-4)
        assert again.coverage == pytest.approx(check.coverage, abs=1e-4)
        assert label.state is None and (label.valence is None) == (check.face == "unknown")


def test_the_recording_itself_is_not_touched_and_running_again_writes_nothing(short: Path) -> None:
    before = hashlib.sha256(short.read_bytes()).digest()
    first = validate(short, people.ByLight(), detector=people.detector())
    (path,) = ledgers(short)
    written = path.read_bytes()
    second = validate(short, people.ByLight(), detector=people.detector())
    assert second == first and path.read_bytes() == written
    other = people.ByLight()
    other.card = Card("by-light", "none", "none", "beef" * 16, people.ByLight.card.classes)
    validate(short, other, detector=people.detector())
    acts = read(path).acts
    assert [act.by["weights"] for act in acts] == [people.ByLight.card.weights_sha256, "beef" * 16]
    assert len(Desk(short, "face-by-light").labels) == 2
    assert hashlib.sha256(short.read_bytes()).digest() == before


def test_against_the_rest_a_face_that_is_always_dark_is_neutral(short: Path) -> None:
    gloomy = people.ByLight(dark=190.0, bright=175.0)  # calls the face at rest sad
    plain = validate(short, gloomy, keep=False, detector=people.detector())
    fair = validate(short, gloomy, baseline=True, keep=False, detector=people.detector())
    assert [check.face for check in plain.clips] == ["negative", "positive"]
    assert fair.clips[0].probabilities != plain.clips[0].probabilities
    assert fair.clips[1].face == "positive" and fair.baseline


def test_without_a_rest_to_compare_with_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = watched.events
    restless = lambda clips: [event for event in every(clips) if event.data.get("kind") != "rest"]  # noqa: E731
    monkeypatch.setattr(watched, "events", restless)
    path = watched.record(tmp_path / "P1_session-0.h5", ["glad"])
    found = validate(path, people.ByLight(), baseline=True, keep=False, detector=people.detector())
    assert [check.face for check in found.clips] == ["unknown"] and "at rest" in found.clips[0].why
    assert found.clips[0].probabilities is not None


def test_missing_weights_make_every_clip_unknown_and_write_nothing(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str) -> people.ByLight:
        raise NoWeights("no weights of the expression model 'small' here; train it")

    monkeypatch.setattr(room, "load", load)
    found = validate(short)
    assert [(check.face, check.verdict, check.coverage) for check in found.clips] == [
        ("unknown", "unknown", None)
    ] * 2
    assert "train it" in found.problem and found.model == "small" and found.weights == ""
    assert list(ledgers(short)) == [] and found.kappa.units == 0


def test_a_recording_without_a_camera_is_unknown_and_says_so(tmp_path: Path) -> None:
    from tests.recording import made

    path = made.killed(tmp_path / "P1" / "P1_session-0.h5")
    found = validate(path, people.ByLight(), detector=people.detector())
    assert found.problem == "the recording has no colour video" and found.lane == ""
    assert any("not closed in order" in told for told in found.damage)


def test_it_can_be_watched_and_stopped(short: Path) -> None:
    told: list[tuple[int, int]] = []
    asked = iter([False] * 4 + [True] * 99)
    with pytest.raises(Cancelled, match="nothing was written"):
        validate(
            short,
            people.ByLight(),
            detector=people.detector(),
            progress=lambda done, total: told.append((done, total)),
            cancelled=lambda: next(asked),
        )
    assert list(ledgers(short)) == [] and told[0] == (0, 60)
    told.clear()
    validate(
        short, people.ByLight(), detector=people.detector(),
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told[-1] == (60, 60) and [done for done, _ in told] == sorted(done for done, _ in told)


def test_the_result_goes_from_process_to_process(found: Validation) -> None:
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_recording_cut_off_is_judged_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "P1_session-0.h5"
    whole = watched.record(tmp_path / "whole.h5", ["glad", "calm"], close=False)
    shutil.copy(whole, path)
    found = validate(path, people.ByLight(), keep=False, detector=people.detector())
    assert [check.face for check in found.clips] == ["positive", "neutral"]
    assert any("not closed in order" in told for told in found.damage)


def test_a_session_that_is_still_recorded_is_not_called_broken_off(tmp_path: Path) -> None:
    path = tmp_path / "P1_session-0.h5"
    shutil.copy(watched.record(tmp_path / "whole.h5", ["glad", "calm"], close=False), path)
    with growing(path):
        found = validate(path, people.ByLight(), keep=False, detector=people.detector())
    assert "it is still being recorded; it is judged as far as it goes" in found.damage
    assert not any("not closed in order" in told for told in found.damage)


def test_frames_that_cannot_be_decoded_count_against_the_clip_and_are_told(short: Path) -> None:
    with Session.open(short) as session:
        camera = session.streams["camera"]
        # the packets of the second half of the first clip, from its key frame on
        first = int(5.0 * watched.RATE_HZ)
        packets = [camera.packet(at) for at in range(first, first + 18)]
    content = bytearray(short.read_bytes())
    for packet in packets:
        where = bytes(content).find(packet)
        assert where >= 0
        content[where : where + len(packet)] = b"\xff" * len(packet)
    damaged = short.with_name("P07_session-3.h5")
    damaged.write_bytes(content)
    found = validate(damaged, people.ByLight(), keep=False, detector=people.detector())
    assert any("cannot be decoded" in told for told in found.damage)
    assert found.clips[0].coverage is not None and found.clips[0].coverage < 0.8
    assert found.clips[1].face == "positive"


@pytest.mark.parametrize(("keep", "judged"), [(0.99, ["positive"] * 2), (0.6, ["positive", "unknown"])])
def test_a_copy_broken_off_is_judged_as_far_as_it_goes(
    tmp_path: Path, keep: float, judged: list[str]
) -> None:
    path = watched.record(tmp_path / "P1_session-0.h5", ["glad", "denied"])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    found = validate(path, people.ByLight(), keep=False, detector=people.detector())
    assert [check.face for check in found.clips] == judged
    if "unknown" in judged:
        assert any("cannot be decoded" in told for told in found.damage)


def test_a_ledger_that_was_tampered_with_does_not_lose_the_result(short: Path) -> None:
    validate(short, people.ByLight(), detector=people.detector())
    (path,) = ledgers(short)
    path.write_text(path.read_text().replace("negative", "positive"))
    other = people.ByLight(dark=80)
    found = validate(short, other, detector=people.detector())
    assert found.lane == "" and "line 2 is not as it was written" in found.not_kept
    assert len(found.clips) == 2


def test_wrong_use_is_told_before_any_work(short: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="known are sum"):
        validate(short, people.ByLight(), agg="mean")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="known are flag, drop"):
        validate(short, people.ByLight(), policy="keep")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="unknown expression model"):
        validate(short, "huge")
    with pytest.raises(RecordingError, match="there is no session file"):
        validate(tmp_path / "none.h5")


def test_any_model_has_a_lane_of_its_own_name() -> None:
    assert lane_of("vgg19") == "face-vgg19"
    assert lane_of("Ünser Modell/2.onnx") == "face-_nser_Modell_2_onnx"
    assert len(lane_of("x" * 200)) == 64


def test_nothing_heavy_is_loaded_before_a_face_is_sought() -> None:
    program = "import sys, emolab.cli.validate, emolab.review.validate; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr
