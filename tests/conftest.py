"""What all tests share: clips are composed once for this user, never into the user's own data folder."""

from __future__ import annotations

import getpass
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import settings

from emolab.core import shipped

settings.register_profile("patient", deadline=None)  # how long an example takes is the machine's business
settings.load_profile("patient")

STALE_S = 120.0  # a worker that composes for longer than this has been killed
DEMO_SEEDS = (0, 1)  # of `record` and of `demo`
# Whole laboratories in real time: two of them at once are too much for two cores
REAL_TIME = ("e2e", "faults", "kills", "session/test_vanished_drive.py", "recording/test_power_cut.py")


def _cache() -> Path:
    """A folder for this user and this catalogue: other clips, another folder."""
    manifest = (shipped.folder("stimuli") / "manifest.csv").read_bytes()
    digest = hashlib.sha256(manifest).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"emolab-test-stimuli-{getpass.getuser()}-{digest}"


os.environ.setdefault("EMOLAB_STIMULI", str(_cache()))


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of `REAL_TIME` to one worker, one after the other."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.path.relative_to(here).as_posix().startswith(REAL_TIME):
            item.add_marker(pytest.mark.xdist_group("real time"))


@pytest.fixture(scope="session")
def stimuli() -> Path:
    """The folder of clips, with those that P001 hears first in `quick` composed."""
    from emolab.core.settings import read
    from emolab.session import stimuli as clips
    from emolab.session.prepare import StartRequest, lay_out

    user = read(Path(os.devnull), os.environ)
    folder = clips.render_folder(user)
    folder.mkdir(parents=True, exist_ok=True)
    for seed in DEMO_SEEDS:
        _, bank, plan = lay_out(StartRequest("quick", "P001", seed=seed))
        for clip in plan.trials:
            with _alone(folder / f"{clip.id}.lock"):
                clips.render(clips.missing(bank, [clip.id], user), user, lambda _: None)
    return folder


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Keep other test workers out meanwhile."""
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError:
            with suppress(OSError):
                if time.time() - lock.stat().st_mtime > STALE_S:
                    lock.rmdir()
            time.sleep(0.05)
    try:
        yield
    finally:
        with suppress(OSError):
            lock.rmdir()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """torch on one thread, from one seed: sums come out alike on every machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)
