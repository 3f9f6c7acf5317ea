"""A ledger keeps every act, and shows when one was touched."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emolab.core.errors import ConfigError, RecordingError
from emolab.recording import label_ledger as ledger
from emolab.recording.label_ledger import Ledger
from emolab.recording.labels import TimedLabel
from emolab.review.desk import Desk

FEAR = TimedLabel(10.0, 40.0, clip="fear_1", state="less_negative", word="nervous")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return tmp_path / "P014" / "P014_session-0.h5"


@pytest.fixture
def written(recording: Path) -> Path:
    """A ledger of five acts."""
    desk = Desk(recording, "anna")
    name = desk.add(FEAR, "frown throughout")
    desk.split(name, 20.0)
    desk.change(name, TimedLabel(10.0, 20.0, state="neutral", note='she says: ","hash":"x"'))
    desk.undo()
    desk.redo()
    return desk.ledger.path


def test_what_was_done_is_there_when_the_ledger_is_opened_again(recording: Path, written: Path) -> None:
    acts = Ledger.open(recording, "anna").acts
    assert [(act.number, act.do, act.of) for act in acts] == [
        (1, "edit", None), (2, "edit", None), (3, "edit", None), (4, "undo", 3), (5, "redo", 3),
    ]  # fmt: skip
    assert acts[0].why == "frown throughout" and acts[0].changes[0].after == FEAR
    assert acts[0].utc <= acts[4].utc


def test_a_models_act_says_which_model_and_weights(recording: Path) -> None:
    by = {"model": "fer-small", "weights_sha256": "ab" * 32}
    Desk(recording, "face fer-small").add(FEAR, by=by)
    assert Ledger.open(recording, "face fer-small").acts[0].by == by


@pytest.mark.parametrize("line", range(6))
def test_a_line_that_was_altered_is_found(written: Path, line: int) -> None:
    lines = written.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b"2", b"3", 1)
    written.write_bytes(b"".join(lines))
    with pytest.raises(RecordingError, match=f"line {line + 1} is not as it was written"):
        ledger.read(written)


def test_every_flipped_byte_is_found(written: Path) -> None:
    sound = written.read_bytes()
    for at in range(0, len(sound), 7):
        damaged = bytearray(sound)
        damaged[at] ^= 0x01
        written.write_bytes(damaged)
        with pytest.raises(RecordingError):
            ledger.read(written)
    written.write_bytes(sound)
    assert len(ledger.read(written).acts) == 5


@pytest.mark.parametrize("gone", range(1, 6))
def test_a_line_that_was_taken_out_is_found_wherever_it_was(written: Path, gone: int) -> None:
    lines = written.read_bytes().splitlines(keepends=True)
    written.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
    with pytest.raises(RecordingError, match=r"missing|is gone"):
        ledger.read(written)


def test_lines_cannot_change_places_or_be_put_in(written: Path) -> None:
    lines = written.read_bytes().splitlines(keepends=True)
    for forged in ([*lines[:2], lines[3], lines[2], *lines[4:]], [*lines, lines[-1]]):
        written.write_bytes(b"".join(forged))
        with pytest.raises(RecordingError):
            ledger.read(written)


def test_half_a_line_of_a_killed_process_is_set_aside_and_the_rest_is_kept(
    recording: Path, written: Path
) -> None:
    sound = written.read_bytes()
    written.write_bytes(sound + b'{"number":6,"utc":"2026-')
    assert len(ledger.read(written).acts) == 5
    again = Ledger.open(recording, "anna")
    assert len(again.acts) == 5 and written.read_bytes() == sound
    assert written.with_name("anna.jsonl.cut").read_text() == '{"number":6,"utc":"2026-\n'


def test_two_programs_on_one_ledger_do_not_write_over_each_other(recording: Path) -> None:
    first, second = Desk(recording, "anna"), Desk(recording, "anna")
    first.add(FEAR)
    with pytest.raises(RecordingError, match="written by another program"):
        second.add(FEAR)
    assert not second.labels
    assert len(Desk(recording, "anna").labels) == 1


def test_a_ledger_under_a_wrong_name_is_refused(recording: Path, written: Path) -> None:
    written.rename(written.with_name("berta.jsonl"))
    with pytest.raises(RecordingError, match="the ledger of 'anna'"):
        Ledger.open(recording, "berta")


@pytest.mark.parametrize("name", ["", "../anna", "a/b", "anna.", "x" * 65, ".hidden", "con\n"])
def test_a_name_that_could_lead_elsewhere_is_refused(recording: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be an analyst's name"):
        Ledger.open(recording, name)


@pytest.mark.parametrize(
    "name",
    ["reported", "Intended", "events", "reported 2", "face-fer_small", "svm-valence", "rtcan-state-3fa1"],
)
def test_an_analyst_is_not_called_what_another_lane_is_called(recording: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="is what a lane of another kind is called"):
        ledger.check_name(name)
    Desk(recording, name).add(FEAR)  # a model, or an analyst of an older version
    assert len(Ledger.open(recording, name).acts) == 1
    assert ledger.check_name("Anna Reported") == "Anna Reported"


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"null", b"[]", b'{"ledger":1}', b"\xff\xfe", b'{"ledger":2,"hash":"0"}']
)
def test_what_is_no_ledger_is_refused_in_a_sentence(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(line + b"\n")
    with pytest.raises(RecordingError):
        ledger.read(path)


def test_a_disk_that_cannot_be_written_changes_nothing(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(recording, "anna")
    desk.add(FEAR)
    before = desk.ledger.path.read_bytes()

    def full(_file: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ledger, "_to_disk", full)
    with pytest.raises(RecordingError, match="No space left on device"):
        desk.add(FEAR)
    monkeypatch.undo()
    assert len(desk.labels) == 1 and desk.ledger.path.read_bytes() == before
    desk.add(FEAR)
    assert len(Desk(recording, "anna").labels) == 2


def test_heads_that_are_nonsense_do_no_harm(recording: Path, written: Path) -> None:
    for nonsense in ("", "[1]", '{"anna.jsonl": 5}', '{"anna.jsonl": ["a", "b"]}'):
        written.with_name("heads.json").write_text(nonsense)
        assert len(Ledger.open(recording, "anna").acts) == 5


EDITING = """
import itertools, sys
from pathlib import Path
from emolab.review.desk import Desk
from emolab.recording.labels import TimedLabel
desk = Desk(Path(sys.argv[1]), "anna")
for number in itertools.count(1):
    desk.add(TimedLabel(number, number + 1.0, note="n" * (number % 3000)))
    print(number, flush=True)
"""


@pytest.mark.parametrize("until", [1, 7, 40])
def test_an_act_that_was_done_outlives_kill_9(recording: Path, until: int) -> None:
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", EDITING, str(recording)], stdout=subprocess.PIPE, text=True, cwd=root
    )
    assert process.stdout is not None
    done = 0
    for line in process.stdout:
        done = int(line)
        if done >= until:
            process.kill()
            break
    done = max([done, *map(int, process.stdout.read().split("\n")[:-1])])
    process.stdout.close()
    process.wait(10)
    labels = Desk(recording, "anna").labels
    assert len(labels) in (done, done + 1)
    assert json.loads((ledger.folder_of(recording) / "heads.json").read_text())


RACING = """
import sys, time
from pathlib import Path
from emolab.core.errors import RecordingError
from emolab.recording.labels import TimedLabel
from emolab.review.desk import Desk
from emolab.review.merge import merge
recording, mine, count, copies = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
while not (recording.parent / "go").exists():
    time.sleep(0.001)
for number in range(count):
    copy = copies / f"{mine}{number}" / recording.name
    Desk(copy, f"{mine}-{number}").add(TimedLabel(0.0, 1.0, note="from afar"))
    while True:
        try:
            Desk(recording, "anna").add(TimedLabel(number, number + 1.0, note=f"{mine} {number}"))
            break
        except RecordingError as error:
            assert "another program" in str(error), error
    merge(recording, copy)
"""


def test_nothing_is_lost_where_programs_write_and_merge_at_once(recording: Path, tmp_path: Path) -> None:
    count, root = 40, Path(__file__).parents[2]
    desk = Desk(recording, "anna")
    recording.write_bytes(b"")
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", RACING, str(recording), who, str(count), str(tmp_path / "copies")],
            cwd=root,
        )
        for who in ("ben", "eva")
    ]
    (recording.parent / "go").touch()
    assert [program.wait(300) for program in programs] == [0, 0]
    said = sorted(label.note for label in Desk(recording, desk.ledger.analyst).labels.values())
    assert said == sorted(f"{who} {number}" for who in ("ben", "eva") for number in range(count))
    assert len(list(ledger.ledgers(recording))) == 1 + 2 * count
    assert not list(ledger.folder_of(recording).glob("*.cut"))
