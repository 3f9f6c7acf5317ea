"""A sound card for machines that have none: a private PulseAudio with one null sink.

    with SoundServer() as server:
        subprocess.run([sys.executable, "-c", "..."], env=server.environment)

What a program with that environment plays to the device `pulse` comes back from the device
`pulse`. PortAudio looks at the environment once, when it is imported: use it in a child process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

SCRIPT = """
load-module module-native-protocol-unix socket={socket} auth-anonymous=1
load-module module-null-sink sink_name=emolab_out rate=48000 channels=2
set-default-sink emolab_out
set-default-source emolab_out.monitor
"""


def why_not() -> str:
    """Why no server can run here, as a reason to skip; empty when it can."""
    missing = [name for name in ("pulseaudio", "pactl") if shutil.which(name) is None]
    return (
        f"{' and '.join(missing)} not installed (apt-get install pulseaudio pulseaudio-utils)"
        if missing
        else ""
    )


class SoundServer:
    """The daemon while the `with` lasts. `environment`: for the child processes that shall use it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="emolab-sound-")
        folder = Path(self._folder.name)
        self._socket = folder / "native"
        self._script = folder / "start.pa"
        self._script.write_text(SCRIPT.format(socket=self._socket))
        (folder / "client.conf").write_text("autospawn = no\nenable-shm = no\n")
        self.environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_STATE_PATH": str(folder),
            "PULSE_SERVER": f"unix:{self._socket}",
            "PULSE_CLIENTCONFIG": str(folder / "client.conf"),
        }
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SoundServer:
        command = ["pulseaudio", "-n", "-F", str(self._script), "--daemonize=no", "--exit-idle-time=-1"]
        command += ["--use-pid-file=no", "--disable-shm=yes", "--realtime=no", "--high-priority=no"]
        self._daemon = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        ends_s = time.monotonic() + 60
        while time.monotonic() < ends_s and self._daemon.poll() is None:
            if self._socket.exists() and "emolab_out" in self.control("list", "short", "sinks"):
                return self
            time.sleep(0.05)
        self.__exit__(None, None, None)
        raise RuntimeError("the private pulseaudio did not start within 60 s")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait(60)
            self._daemon = None
        self._folder.cleanup()

    def control(self, *words: str) -> str:
        """What `pactl` answers; `control("unload-module", "module-null-sink")` unplugs the card."""
        done = subprocess.run(
            ["pactl", *words], env=self.environment, capture_output=True, text=True, timeout=60
        )
        return done.stdout

    def play(self, path: Path) -> subprocess.Popen[bytes]:
        """Start `paplay` on a sound file."""
        return subprocess.Popen(["paplay", "--latency-msec=100", str(path)], env=self.environment)
