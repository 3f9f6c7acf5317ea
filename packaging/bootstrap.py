"""Set emolab up on a fresh machine and run it. Needs nothing but Python 3.11 or newer.

    python3 packaging/bootstrap.py demo    a whole session with the simulated participant
    python3 packaging/bootstrap.py test    ruff, mypy, import rules and every test
    python3 packaging/bootstrap.py app     the program itself
    python3 packaging/bootstrap.py shell   a shell in which `emolab` is a command

Arguments after the word go to the command. The first run makes `.venv` beside this folder and
installs the pinned libraries there; later runs find that done and start at once. On Debian and
Ubuntu missing system libraries are installed too (as root, or through sudo); elsewhere they are
named. Nothing outside the checkout is changed but for those system packages.
"""

from __future__ import annotations

import ctypes.util
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from io import TextIOWrapper
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CONSTRAINTS = ROOT / "packaging" / "constraints.txt"
STAMP = VENV / "emolab-bootstrap.stamp"
WINDOWS = sys.platform == "win32"
BIN = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = BIN / ("python.exe" if WINDOWS else "python")

# What Qt, sound and the fonts need on Debian and Ubuntu: package -> a library or program that shows
# that it is there already.
RUN_PACKAGES = {
    "libegl1": "EGL",
    "libgl1": "GL",
    "libopengl0": "OpenGL",
    "libglib2.0-0": "glib-2.0",
    "libfontconfig1": "fontconfig",
    "libdbus-1-3": "dbus-1",
    "libxkbcommon-x11-0": "xkbcommon-x11",
    "libxcb-cursor0": "xcb-cursor",
    "libxcb-icccm4": "xcb-icccm",
    "libxcb-image0": "xcb-image",
    "libxcb-keysyms1": "xcb-keysyms",
    "libxcb-randr0": "xcb-randr",
    "libxcb-render-util0": "xcb-render-util",
    "libxcb-shape0": "xcb-shape",
    "libxcb-xinerama0": "xcb-xinerama",
    "libxcb-xkb1": "xcb-xkb",
    "libportaudio2": "portaudio",
    "fonts-dejavu-core": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
}
# What the tests need besides: a virtual screen with two monitors, clicks, sound without a card, disks.
TEST_PACKAGES = {
    "xvfb": "Xvfb",
    "xauth": "xauth",
    "xdotool": "xdotool",
    "x11-xserver-utils": "xrandr",
    "openbox": "openbox",
    "pulseaudio": "pulseaudio",
    "pulseaudio-utils": "pactl",
    "libasound2-plugins": "/usr/share/alsa/alsa.conf.d/pulse.conf",
    "libpulse0": "pulse",
    "fonts-noto-cjk": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "dbus": "dbus-daemon",
    "g++": "g++",
    # disks that go away or lose power in the middle of a recording
    "bindfs": "bindfs",
    "e2fsprogs": "/sbin/mkfs.ext4",
    "btrfs-progs": "/sbin/mkfs.btrfs",
    "xfsprogs": "/sbin/mkfs.xfs",
}


def main(arguments: list[str]) -> int:
    """Run one of the four words; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):  # an old terminal must not fail over a sign it cannot show
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    words = {"demo": demo, "test": test, "app": app, "shell": shell}
    if not arguments or arguments[0] not in words:
        print(__doc__)
        return 2
    if sys.version_info < (3, 11):  # noqa: UP036  (this file also runs on the Python it refuses)
        print(f"emolab needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable}).")
        return 2
    word, rest = arguments[0], arguments[1:]
    try:
        install_system_packages(RUN_PACKAGES | (TEST_PACKAGES if word == "test" else {}))
        make_environment()
        return words[word](rest)
    except subprocess.CalledProcessError as error:
        print(f"\nStopped: '{' '.join(map(str, error.cmd))}' ended with {error.returncode}; see above.")
        return 1
    except KeyboardInterrupt:
        return 130


def demo(rest: list[str]) -> int:
    """A session with the simulated participant: in both windows where there is a display."""
    if not has_display() and "--headless" not in rest:
        print("No display here: the demo runs headless (the same session, without its two windows).")
        rest = [*rest, "--headless"]
    return emolab("demo", *rest)


def app(rest: list[str]) -> int:
    """The program."""
    if not has_display():
        print("emolab's windows need a display; there is none. 'bootstrap.py demo' runs without.")
        return 2
    return emolab(*rest)


def test(rest: list[str]) -> int:
    """Everything CI checks, in the order from quick to slow; stops at the first that fails."""
    run: list[str | Path] = [PYTHON, "-m"]
    subprocess.run([*run, "ruff", "check", "."], cwd=ROOT, check=True)
    subprocess.run([*run, "ruff", "format", "--check", "."], cwd=ROOT, check=True)
    subprocess.run([*run, "mypy"], cwd=ROOT, check=True)
    subprocess.run([BIN / ("lint-imports" + (".exe" if WINDOWS else ""))], cwd=ROOT, check=True)
    return _call([*run, "pytest", *rest], cwd=ROOT)


def shell(rest: list[str]) -> int:
    """A shell with the environment first on its path."""
    environment = dict(os.environ, VIRTUAL_ENV=str(VENV), PATH=f"{BIN}{os.pathsep}{os.environ['PATH']}")
    program = os.environ.get("COMSPEC", "cmd.exe") if WINDOWS else os.environ.get("SHELL", "/bin/sh")
    return _call([program, *rest], env=environment)


def emolab(*arguments: str) -> int:
    """The command `emolab` of the environment."""
    return _call([PYTHON, "-m", "emolab", *arguments])


def _call(command: list[str | Path], cwd: Path | None = None, env: dict[str, str] | None = None) -> int:
    """Run a program that answers Ctrl-C itself, and wait until it has: a session ends in order."""
    before = signal.signal(signal.SIGINT, lambda *_: None)  # not ignored: that it would inherit
    try:
        return subprocess.Popen(command, cwd=cwd, env=env).wait()
    finally:
        signal.signal(signal.SIGINT, before)


def has_display() -> bool:
    """Whether windows can open here."""
    if WINDOWS or sys.platform == "darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def make_environment() -> None:
    """`.venv` with the pinned libraries and emolab itself, unless it is there and up to date."""
    wanted = hashlib.sha256(
        CONSTRAINTS.read_bytes()
        + (ROOT / "pyproject.toml").read_bytes()
        + sys.version.encode()
        + os.fsencode(ROOT)  # which programs in it name
    ).hexdigest()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return
    print(f"Setting up {VENV} (once; a minute or two) …", flush=True)
    if not _is_sound():  # also one that was broken off, moved, or whose Python is gone
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--constraint", CONSTRAINTS, "--editable", f"{ROOT}[test]"], check=True)
    print("Compiling the solvers of the analysis (once; half a minute) …", flush=True)
    # else the first analysis begins with that; where it fails all the rest works, and the analysis says why
    subprocess.run([PYTHON, "-m", "emolab.analysis.ready"], cwd=ROOT)
    STAMP.write_text(wanted)


def _is_sound() -> bool:
    """Whether `.venv` was made here and its Python can install libraries."""
    pip = BIN / ("pip.exe" if WINDOWS else "pip")
    if not PYTHON.exists() or not pip.exists() or os.fsencode(VENV) not in pip.read_bytes():
        return False
    return subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0


def install_system_packages(packages: dict[str, str]) -> None:
    """Install what is missing on Debian and Ubuntu; elsewhere on Linux name it."""
    if not sys.platform.startswith("linux"):
        return
    missing = [package for package, shown_by in packages.items() if not is_there(shown_by)]
    if importlib.util.find_spec("ensurepip") is None:  # Debian keeps it apart
        missing.append(f"python3.{sys.version_info.minor}-venv")
    if not missing:
        return
    if shutil.which("apt-get") is None:
        print(f"If windows or sound fail, install what your system calls: {' '.join(missing)}")
        return
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    if as_root and (shutil.which("sudo") is None or not sys.stdin.isatty()):
        print(f"Please install as root, then run this again if something fails:\n"
              f"  apt-get install {' '.join(missing)}")  # fmt: skip
        return
    print(f"Installing system packages: {' '.join(missing)} …", flush=True)
    # said to env, because sudo passes nothing on
    kept = [f"{name}={value}" for name, value in os.environ.items() if name.lower().endswith("_proxy")]
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", *kept, "apt-get"]
    subprocess.run([*apt, "update", "-qq"])
    install = [*apt, "install", "-y", "-qq", "--no-install-recommends", *missing]
    if subprocess.run(install, stdout=subprocess.DEVNULL).returncode:
        print("They could not be installed, see above; going on without. Windows or sound may fail.")


def is_there(shown_by: str) -> bool:
    """Whether a program, file or shared library is on this machine."""
    if shown_by.startswith("/"):
        return Path(shown_by).exists()
    return shutil.which(shown_by) is not None or ctypes.util.find_library(shown_by) is not None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
