"""One file per instrument, and nothing an instrument does is known anywhere else.

A new instrument is one file (its docstring gives the wiring and the bytes), one line in
`DEVICES`, and one scripted test: bytes sent, samples expected. The contract it keeps is
`source.Source`; `tests/contracts/` walks this dict and holds every entry to it.

What may enter: a driver that stamps with the session clock it was given, counts what it loses
and says what to do when it fails. What may not: windows, files of ours, feature computation.
"""

# kind in a device file -> class with `from_config(config, clock)`
DEVICES: dict[str, str] = {
    "physiokit": "emolab.devices.physiokit:PhysioKit",
    "emolab_board": "emolab.devices.emolab_board:EmolabBoard",
    "rgb_camera": "emolab.devices.rgb_camera:RgbCamera",
    "thermal_camera": "emolab.devices.thermal_camera:ThermalCamera",
    "microphone": "emolab.devices.microphone:Microphone",
    "lsl": "emolab.devices.lsl:LslStream",
    "simulated": "emolab.devices.simulated:Simulated",
}
