"""`emolab doctor`: what this machine has for a session, and what to fix before one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from emolab.cli.arguments import parser, print_json, settings
from emolab.cli.display import SIGNS, screens
from emolab.core.errors import ConfigError
from emolab.devices.discover import Finding


def doctor(arguments: list[str]) -> int:
    """Look at everything; exit code 1 when something must be done."""
    cli = parser("doctor", __doc__ or "")
    cli.add_argument("study", nargs="?", type=Path, default=Path(), help="study folder, for its disk")
    cli.add_argument("--json", action="store_true", help="facts as JSON")
    cli.add_argument("--write", type=Path, metavar="FILE", help="write a device file from what is found")
    options = cli.parse_args(arguments)

    from emolab.devices import discover

    if options.write is not None and options.write.exists():
        raise ConfigError(f"{options.write} is there already; choose another name, nothing was changed")
    facts = discover.gather(options.study)
    shown = screens()
    found = [*discover.findings(facts), _of_screens(shown), _of_clips(), _of_face()]
    if options.write is not None:
        try:
            options.write.write_text(discover.propose_device_file(facts), encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                f"{options.write} cannot be written ({error.strerror}); name a file in a folder that is there"
                " and yours"
            ) from error
    if options.json:
        rows = [asdict(finding) for finding in found]
        print_json(asdict(facts) | {"screens": shown, "findings": rows})
    else:
        for finding in found:
            print(
                f"{SIGNS[finding.level]} {finding.what}"
                + (f"\n    {finding.remedy}" if finding.remedy else "")
            )
        if options.write is not None:
            print(f"Written: {options.write}; read it through, then choose it on the set-up page.")
    return 1 if any(finding.level == "act" for finding in found) else 0


def _of_screens(screens: list[dict[str, Any]]) -> Finding:
    names = ", ".join(f"{s['name']} {s['width']}×{s['height']}" for s in screens)
    if len(screens) >= 2:
        return Finding("well", f"screens: {names}")
    if screens:
        remedy = "Connect the participant's screen and set it to extend, not mirror, this one."
        return Finding("look", f"one screen only: {names}", remedy)
    return Finding("look", "no display: only headless sessions run here", "Start emolab from a desktop.")


def _of_clips() -> Finding:
    from emolab.core import shipped
    from emolab.protocol.bank import read_manifest
    from emolab.session import stimuli

    user = settings()
    bank = read_manifest(shipped.folder("stimuli") / "manifest.csv")
    absent = stimuli.missing(bank, [entry.id for entry in bank.entries], user)
    if absent:
        remedy = "They are composed before the first session; 'emolab stimuli render' does it now."
        return Finding("look", f"{len(absent)} of {len(bank.entries)} clips are not composed yet", remedy)
    return Finding("well", f"clips: all {len(bank.entries)} in {stimuli.render_folder(user)}")


def _of_face() -> Finding:
    from emolab.devices.simulation.photo import photograph

    if photograph() is None:
        remedy = "A photographed one, which validate can judge, takes: pip install 'emolab[faces]'"
        return Finding(
            "well", "the simulated participant has a drawn face, which is no matter for real ones", remedy
        )
    return Finding("well", "the simulated participant has a photographed face")
