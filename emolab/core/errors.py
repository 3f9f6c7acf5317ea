"""What can go wrong, in one tree.

    EmolabError
    ├─ ConfigError(ValueError)          a file or an argument the user wrote
    ├─ DeviceError(OSError)             an instrument
    │  ├─ DeviceNotFound(LookupError)       no such port, camera or card
    │  ├─ DeviceTimeout(TimeoutError)       there, but silent
    │  └─ BadFrame(ValueError)              bytes that are no sample
    ├─ RecordingError(OSError)          a session file
    │  ├─ SchemaMismatch(ValueError)        not ours, or of a version we cannot read
    │  └─ Overrun(BufferError)              the writer could not keep up
    ├─ DataError(ValueError)            arrays or tables that cannot be computed on
    ├─ ModelError(RuntimeError)         a classifier
    │  ├─ NotFitted
    │  ├─ NoWeights(LookupError)            nobody trained it here, or its file is not to be used
    │  └─ WrongInput(ValueError)
    └─ MissingExtra(ImportError)        an optional library is not installed

Each message says what, where and what next, in one sentence a user can act on. They are
caught at three doors only: `cli.main`, `gui.app` and the pump.
"""


class EmolabError(Exception):
    """Anything emolab itself raises on purpose."""


class ConfigError(EmolabError, ValueError):
    """A protocol, device file, setting or argument is wrong; the message names file and key."""


class DeviceError(EmolabError, OSError):
    """An instrument failed; the message names it and the remedy."""


class DeviceNotFound(DeviceError, LookupError):
    """The port, camera or card is not there."""


class DeviceTimeout(DeviceError, TimeoutError):
    """The instrument is there but says nothing."""


class BadFrame(DeviceError, ValueError):
    """Bytes arrived that are no sample of the declared format."""


class RecordingError(EmolabError, OSError):
    """A session file could not be made, written or read."""


class SchemaMismatch(RecordingError, ValueError):
    """The file is no emolab session, or of a schema this version does not know."""


class Overrun(RecordingError, BufferError):
    """Samples came faster than they could be written."""


class DataError(EmolabError, ValueError):
    """The arrays given cannot be computed on: too short, flat, or of the wrong shape."""


class ModelError(EmolabError, RuntimeError):
    """A classifier could not be made, fitted or used."""


class NotFitted(ModelError):
    """Predicting was asked of a model that has not learnt yet."""


class NoWeights(ModelError, LookupError):
    """The weights of a model are not there, or are not the ones its card speaks of."""


class WrongInput(ModelError, ValueError):
    """The input has not the shape or rate the model was made for."""


class MissingExtra(EmolabError, ImportError):
    """An optional library is needed; the message gives the `pip install 'emolab[...]'` line."""


def shown(value: object) -> str:
    """A value out of somebody's file for an error message: on one line, short, whatever it is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, a list without bottom
        text = f"a very long {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
