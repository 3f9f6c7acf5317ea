"""From recordings to everything that is known of them: tables, figures, tests, the report.

OUT/report.html                     the page; opens offline
OUT/clips.parquet, .csv             a row a clip
OUT/baselines.parquet, .csv         a row a session
OUT/columns.csv                     what each column means
OUT/figures/NAME.svg, .png, .pdf    each figure of the page
OUT/tables/NAME.csv                 each table of the page
OUT/sessions.json                   what was measured: an unchanged session is not measured again
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd

from emolab.analysis import folder, kept, table
from emolab.analysis.labels import REPORTED, check_lane
from emolab.analysis.measure import Job, Measured, measure
from emolab.analysis.page import FORMS, Page, Picture, Section, Table, html
from emolab.analysis.report import page
from emolab.analysis.sections.provenance import made_with
from emolab.analysis.twice import counted_once
from emolab.core import executor
from emolab.core.errors import ConfigError
from emolab.recording.reader import Session
from emolab.stats.logit_rows import Scale
from emolab.study import exports_made, thermal_calibration
from emolab.study.export.many import recordings
from emolab.study.export.whole import whole
from emolab.study.sessions import parts

KEEP_S = 2.0  # what was measured is kept as often
Tell = Callable[[int, int, str], None]  # so many of so many, and what is done now


@dataclass(frozen=True)
class Asked:
    """What an analysis goes by. `lane`: whose labels. `z`: what z-scores are taken over.

    `calibration`: how the cameras lie, a file of `emolab calibrate thermal`; the study's own where None.
    """

    lane: str = REPORTED
    drop_conflicts: bool = False
    z: Scale = "table"
    calibration: Path | None = None


@dataclass(frozen=True)
class Analysis:
    """All of it: what was measured, the table of clips, the page, and where it was written."""

    sessions: tuple[Measured, ...]
    table: pd.DataFrame
    page: Page
    report: Path
    files: tuple[Path, ...]
    took_s: float

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in sentences."""
        return tuple(part.text for part in self.page.sections[0].parts if part.kind == "words")


def analyse(
    place: Path,
    out: Path,
    asked: Asked = Asked(),
    where: str = "here",
    workers: int | None = None,
    tell: Tell = lambda done, total, what: None,
    forms: Sequence[str] = FORMS,
) -> Analysis:
    """Analyse a recording, or every session of a study, and write all of it into `out`.

    `where`, `workers`: see `executor`. `forms`: of the files that each figure is written to.

    A session that cannot be read is told in the report and stops no other, a copy of another is left out and
    told. Raises `ConfigError` when there is
    no session at all, when nobody called `asked.lane` labelled one, or when `out` cannot be written, is
    another's or is written by another analysis.
    """
    began = time.perf_counter()
    found = first_parts(place)
    check_lane(found, asked.lane)
    jobs = [_job(path, asked) for path in found]
    keys = [kept.key(job) for job in jobs]
    with folder.own(out):
        _register(found, out)
        measured = _measured(jobs, keys, out, where, workers, tell)
        every = _believed(counted_once(found, measured), asked.drop_conflicts)
        clips = table.clips(every, asked.drop_conflicts)
        made = page(place, found, every, clips, asdict(asked))
        files = _write(out, every, clips, made, tell, forms)
        names = [path.relative_to(out).as_posix() for path in files if path.parent != out]
        folder.drop_old(out, names)
        kept.save(out, keys, measured, names)
    return Analysis(tuple(every), clips, made, out / "report.html", tuple(files), time.perf_counter() - began)


def opened(
    place: Path, out: Path, lane: str = REPORTED, drop_conflicts: bool = False, z: Scale = "table"
) -> Page:
    """The report made again of what was measured before, without reading a recording.

    Raises `ConfigError` when a session is not among it: it is new, changed, or asked for with other labels.
    """
    asked = Asked(lane, drop_conflicts, z)
    known = kept.load(out)
    found = first_parts(place)
    keys = [kept.key(_job(path, asked)) for path in found]
    every = [known[one_key] for one_key in keys if one_key in known]
    if len(every) < len(keys):
        new = len(keys) - len(every)
        raise ConfigError(f"{new} of {len(keys)} are new, changed, or were measured by another emolab.")
    every = _believed(counted_once(found, every), drop_conflicts)
    return page(place, found, every, table.clips(every, drop_conflicts), asdict(asked))


def first_parts(place: Path) -> list[Path]:
    """The first file of each session of a study, or the recording named. Raises `ConfigError` for none.

    A part whose first one is missing is a session of its own.
    """
    if not place.exists():
        raise ConfigError(f"there is no {place}; check the spelling")
    if not place.is_dir():
        with Session.open(place):  # which says what is wrong with it
            return [place]
    every = recordings(place)
    first = [path for path in every if "_part-" not in path.stem]
    later = {part for path in first for part in parts(path)}
    return [path for path in every if path in first or path not in later]


def _job(recording: Path, asked: Asked) -> Job:
    """What to measure, with the calibration of its study. Raises `ConfigError` when that is damaged."""
    study = exports_made.study_of(recording)
    path = asked.calibration or (study and thermal_calibration.path_of(study))
    if path is None or (asked.calibration is None and not path.exists()):
        return Job(recording, asked.lane)
    return Job(recording, asked.lane, thermal_calibration.read(path).to_json())


def _measured(
    jobs: Sequence[Job],
    keys: Sequence[str],
    out: Path,
    where: str,
    workers: int | None,
    tell: Tell,
) -> list[Measured]:
    """Every session; what is measured is kept as it comes, so that nothing is lost with a kill."""
    files = kept.files(out)
    # what could not be read is tried again
    known = {one_key: one for one_key, one in kept.load(out).items() if not one.trouble}
    new = [at for at, one_key in enumerate(keys) if one_key not in known]
    # the longest first: else one worker may be left with it when all others are done
    new.sort(key=lambda at: jobs[at].recording.stat().st_size, reverse=True)
    saved_s, took_s = time.monotonic(), 0.0

    def save() -> None:
        there = [one_key for one_key in keys if one_key in known]
        kept.save(out, there, [known[one_key] for one_key in there], files)

    def keep(number: int, one: Measured) -> None:
        nonlocal saved_s, took_s
        known[keys[new[number]]] = one
        if (began_s := time.monotonic()) - saved_s >= max(KEEP_S, 20 * took_s):
            save()
            saved_s = time.monotonic()
            took_s = saved_s - began_s

    tell(0, len(new), "reading sessions")
    save()  # the folder is an analysis's own from now on
    try:
        executor.run(
            measure,
            [jobs[at] for at in new],
            where,
            workers,
            lambda done, total: tell(done, total, f"session {done} of {total}"),
            keep,
        )
    finally:
        save()
    return [known[one_key] for one_key in keys]


def _believed(every: Sequence[Measured], goes_by_faces: bool) -> list[Measured]:
    """The sessions, without those whose conflicts were asked for and cannot be known.

    Raises `ConfigError` when none is left.
    """
    believed = [
        replace(one, rows=(), trouble=f"what faces say of it cannot be known: {one.unsound[0]}")
        if goes_by_faces and one.unsound and not one.trouble
        else one
        for one in every
    ]
    if all(one.trouble for one in believed):
        first = believed[0].trouble
        raise ConfigError(f"none of {_count(len(believed))} could be read; the first says: {first}")
    return believed


def _register(found: Sequence[Path], out: Path) -> None:
    """Note where figures of each session are: who withdraws must be found in this folder, too."""
    for recording in found:
        study = exports_made.study_of(recording)
        if study is None:
            continue
        noted = {(made.session, made.format, made.folder) for made in exports_made.made(study)}
        if (recording.stem, exports_made.ANALYSIS, out.absolute()) not in noted:
            exports_made.register(study, recording.stem, exports_made.ANALYSIS, out, [])


def _count(sessions: int) -> str:
    return "1 session" if sessions == 1 else f"{sessions} sessions"


def _write(
    out: Path, every: Sequence[Measured], clips: pd.DataFrame, made: Page, tell: Tell, forms: Sequence[str]
) -> list[Path]:
    provenance = {"software": made_with(), "sessions": [file for one in every for file in one.files]}
    files = table.write(clips, out, "clips", provenance)
    files += table.write(table.baselines(every), out, "baselines", provenance)
    files.append(table.write_columns(out))
    shown = [(section, part) for section in made.sections for part in section.parts]
    for number, (section, part) in enumerate(shown):
        if isinstance(part, Picture):
            tell(number, len(shown), f"drawing {part.name}")
            files += part.save(out / "figures" / part.name, forms)
        elif isinstance(part, Table):
            files.append(_write_table(out / "tables" / f"{_slug(section, part)}.csv", part))
    tell(len(shown), len(shown), "writing the page")
    with whole(out / "report.html") as beside:
        beside.write_text(html(made, forms), encoding="utf-8")
    return files


def _slug(section: Section, part: Table) -> str:
    words = "".join(sign if sign.isalnum() else " " for sign in part.caption.lower()).split()
    return f"{section.key}-{'-'.join(words[:6])}"


def _write_table(path: Path, part: Table) -> Path:
    with whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([part.head, *part.rows])
    return path
