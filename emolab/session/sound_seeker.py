"""A sound output that went is tried until it plays again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from emolab.core.clock import Clock
from emolab.core.errors import DeviceError
from emolab.session.player import Player, SoundPlayer

log = logging.getLogger(__name__)

RETRY_S = 0.5
SETTLE_STEP_S = 0.1
START_S = 4.0  # PulseAudio may take two seconds to its first callback


class SoundSeeker(threading.Thread):
    """Tries to open the sound output until it plays; then `found` is called with the player, and for how
    long it has been open."""

    def __init__(
        self, clock: Clock, device: str | int | None, found: Callable[[Player, float], None]
    ) -> None:
        super().__init__(name="sound seeker", daemon=True)
        self._clock, self._device, self._found = clock, device, found
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.wait(RETRY_S):
            try:
                player = SoundPlayer(self._clock, self._device)
            except DeviceError:
                continue
            except Exception:
                log.exception("the sound output cannot be opened again")
                return
            if self._plays(player):
                return
            player.close()

    def _plays(self, player: Player) -> bool:
        """Hand a player over once its stamps have settled; a card that hangs opens, but never gets there."""
        opened_s, settling_s = self._clock.now_s(), 0.0
        while not self._stopping.wait(SETTLE_STEP_S) and (settling_s < START_S or not player.failure()):
            settling_s = self._clock.now_s() - opened_s
            if player.is_settled():
                self._found(player, settling_s)
                return True
        return False
