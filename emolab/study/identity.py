"""Who is who: names and contacts by pseudonym, in one encrypted file that lies outside the study.

    {"emolab identity map": 1, "study": "3f0c…",
     "kdf": {"name": "scrypt", "salt": …, "n": 131072, "r": 8, "p": 1},
     "cipher": "AES-256-GCM", "nonce": …, "data": …, "sha256": …}

`data` is JSON, encrypted under a key that scrypt makes of the passphrase; everything else in the file is
authenticated with it. `sha256`, of all the rest, tells a damaged file from a wrong passphrase. Salt and
nonce are new each time it is written. Without the passphrase nobody can read it: there is no second door.

The file is written beside its place, read back, and only then takes it; no older copy is kept, so
that who is taken out is out. `cryptography` (https://cryptography.io) does the cryptography.
"""

from __future__ import annotations

import base64
import glob
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs

from emolab.core.disk import alone
from emolab.core.errors import ConfigError
from emolab.study import kept, study_file

SCHEMA = 1
LEAST_PASSPHRASE = 12  # characters
SCRYPT = {"n": 1 << 17, "r": 8, "p": 1}  # 128 MB and a third of a second: OWASP's choice, 2024
MOST = {"n": 1 << 20, "r": 16, "p": 4}  # what a file may ask for: 2 GB
FILE_BYTES = 64 << 20
PATIENCE_S = 10.0  # for another program that writes it: a small file is written in far less
_MARK = "emolab identity map"


@dataclass(frozen=True)
class Person:
    """Whom a pseudonym stands for. `contact`: address, telephone, whatever reaches them."""

    name: str
    contact: str = ""
    note: str = ""
    since_utc: str = ""


class WrongPassphrase(ConfigError):
    """The passphrase does not open the file."""


def default_path(study: Path) -> Path | None:
    """Where the map of a study lies unless another place is named; None for a study without `study.json`."""
    told = study_file.read(study)
    if told is None:
        return None
    return Path(platformdirs.user_data_dir("emolab")) / "identities" / f"{told.id}.identity"


def check_place(path: Path, study: Path) -> Path:
    """`path` itself when a map may lie there. Raises `ConfigError` for a place inside the study."""
    if path.resolve().is_relative_to(study.resolve()):
        raise ConfigError(
            f"{path} lies inside the study, and would be shared with it; choose a place outside {study}"
        )
    return path


class IdentityMap:
    """An opened map: `persons` by pseudonym. `save` after a change; nothing is written before."""

    def __init__(self, path: Path, study_id: str, passphrase: str, persons: Mapping[str, Person]) -> None:
        self.path, self.study_id = path, study_id
        self.persons = dict(persons)
        self._passphrase = passphrase
        self._seen = b""  # the file as it was when it was read or written last

    @classmethod
    def make(cls, path: Path, study_id: str, passphrase: str) -> IdentityMap:
        """A new empty map, written at once. Raises `ConfigError` when there is one, or no room for it."""
        if path.exists():
            raise ConfigError(f"{path} is there already; open it, or choose another place")
        made = cls(path, study_id, check_passphrase(passphrase), {})
        made.save()
        return made

    @classmethod
    def open(cls, path: Path, study_id: str, passphrase: str) -> IdentityMap:
        """The map in a file; the file is only read.

        Raises `WrongPassphrase`, or `ConfigError` when the file is damaged, not there, or another study's.
        """
        told = _read(path)
        if told["study"] != study_id:
            raise ConfigError(
                f"{path} is the identity map of another study; name the map of this one with --map"
            )
        opened = cls(path, study_id, passphrase, _persons(_decrypted(told, passphrase, path), path))
        opened._seen = told["nonce"].encode()
        return opened

    def save(self) -> None:
        """Write the map; it takes its place only when it can be read again.

        Raises `ConfigError` when it cannot be written, or another program changed it meanwhile.
        """
        self._check_unchanged()
        raw = _encrypted(self.persons, self.study_id, self._passphrase)
        if _persons(_decrypted(json.loads(raw), self._passphrase, self.path), self.path) != self.persons:
            raise ConfigError(f"{self.path} was not written: it could not have been read again")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with alone(self.path, PATIENCE_S):
                self._check_unchanged()  # the key took most of a second: time enough for another
                kept.write_whole(self.path, raw, 0o600)
                for left in self.path.parent.glob(f".{glob.escape(self.path.name)}.*.part"):
                    left.unlink()  # of a killed process: it may hold somebody who is to be taken out
        except OSError as error:
            raise ConfigError(
                f"{self.path} cannot be written ({error.strerror or error}); what was there is untouched"
            ) from error
        self._seen = json.loads(raw)["nonce"].encode()

    def _check_unchanged(self) -> None:
        if self.path.exists() and _read(self.path)["nonce"].encode() != self._seen:
            raise ConfigError(f"{self.path} was changed by another program meanwhile; do it again")

    def change_passphrase(self, passphrase: str) -> None:
        """Encrypt under another passphrase from now on, and write it so."""
        self._passphrase = check_passphrase(passphrase)
        self.save()


def check_passphrase(passphrase: str) -> str:
    """`passphrase` itself when it is long enough to protect names. Raises `ConfigError` otherwise."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise ConfigError(
            f"the passphrase has {len(passphrase)} characters; take at least {LEAST_PASSPHRASE}, "
            "four random words say"
        )
    return passphrase


def _read(path: Path) -> dict[str, Any]:
    """The file as it is, still encrypted. Raises `ConfigError` when it is not what was written."""
    damaged = f"{path} is damaged; nothing was changed in it. Take it from a backup"
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(
            f"there is no identity map {path}; begin one with 'emolab study identity STUDY set ID', "
            "or name the file with --map"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror or error})") from error
    try:
        told = json.loads(raw)
        if told.pop("sha256") != _checksum(told):
            raise ConfigError(damaged)
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(damaged) from error
    if told.get(_MARK) != SCHEMA or told.get("cipher") != "AES-256-GCM":
        raise ConfigError(f"{path} is no identity map that this version reads; open it with a newer emolab")
    return dict(told)


def _checksum(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(told)).hexdigest()


def _canonical(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def _encrypted(persons: Mapping[str, Person], study_id: str, passphrase: str) -> bytes:
    nonce = secrets.token_bytes(12)
    head: dict[str, Any] = {
        _MARK: SCHEMA,
        "study": study_id,
        "kdf": {"name": "scrypt", "salt": _text(secrets.token_bytes(16)), **SCRYPT},
        "cipher": "AES-256-GCM",
        "nonce": _text(nonce),
    }
    plain = json.dumps({who: asdict(person) for who, person in persons.items()}, ensure_ascii=False)
    sealed = _cipher(passphrase, head["kdf"]).encrypt(
        nonce, plain.encode("utf-8", "replace"), _canonical(head)
    )
    told = {**head, "data": _text(sealed)}
    return json.dumps({**told, "sha256": _checksum(told)}, indent=1).encode()


def _decrypted(told: Mapping[str, Any], passphrase: str, path: Path) -> bytes:
    from cryptography.exceptions import InvalidTag

    head = {key: value for key, value in told.items() if key not in ("data", "sha256")}
    try:
        kdf = dict(told["kdf"])
        is_fair = kdf["name"] == "scrypt" and all(type(kdf[k]) is int and 0 < kdf[k] <= MOST[k] for k in MOST)
        if not is_fair:
            raise ValueError("scrypt asks for too much")
        nonce, sealed = _bytes(told["nonce"]), _bytes(told["data"])
        return bytes(_cipher(passphrase, kdf).decrypt(nonce, sealed, _canonical(head)))
    except InvalidTag:
        raise WrongPassphrase(
            f"this passphrase does not open {path}; nothing was changed. Try again: there is no other way in"
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path} is damaged ({error}); nothing was changed. Take it from a backup"
        ) from error


def _cipher(passphrase: str, kdf: Mapping[str, Any]) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    made = Scrypt(salt=_bytes(kdf["salt"]), length=32, n=kdf["n"], r=kdf["r"], p=kdf["p"])
    return AESGCM(made.derive(passphrase.encode("utf-8", "surrogateescape")))


def _persons(plain: bytes, path: Path) -> dict[str, Person]:
    try:
        return {str(who): Person(**facts) for who, facts in json.loads(plain).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} holds entries this version does not know ({error}); open it with a newer emolab"
        ) from error


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
