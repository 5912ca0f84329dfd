"""How a folder of a repository is written: `git+URL@REF[:FOLDER][#signers=FILE]`."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote

PREFIX: Final = "git+"
SCHEMES: Final = ("https", "ssh", "file")
SIGNERS: Final = "signers="
MAX_CHARACTERS: Final = 2_048

_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
)
_PATH: Final = re.compile(r"/(?:[A-Za-z0-9._~+/-]|%[0-9A-Fa-f]{2})+")
_REF: Final = re.compile(r"(?!.*(?:\.\.|//|/\.|\.lock(?:/|$)|@\{))[A-Za-z0-9_][A-Za-z0-9_.@+/-]*(?<![/.])")


class AddressError(Exception):
    """A text is no address of a folder in a repository. The message names the next step."""


@dataclass(frozen=True, slots=True)
class Address:
    """A folder (empty for the top) of a branch or a tag, and who has to have signed it.

    `ref` is a name, or a whole one that begins with `refs/`. `signers` is a file as ssh-keygen(1) describes under
    ALLOWED SIGNERS; None where signatures are not asked for.
    """

    text: str
    url: str
    ref: str
    folder: str
    signers: Path | None

    def __str__(self) -> str:
        return self.text


def is_address(text: str) -> bool:
    """Whether the text is meant to be an address, right or wrong."""
    return text.startswith(PREFIX)


def parse_address(text: str) -> Address:
    """The address that a text is. Raises AddressError.

    The first `@` of the path ends the repository's part, so that one in a name there is written `%40`.
    """
    if len(text) > MAX_CHARACTERS or not text.isprintable() or not is_address(text):
        raise AddressError(f"an address is `{PREFIX}URL@REF:FOLDER`, of at most {MAX_CHARACTERS} printable characters")
    source, _, fragment = text.removeprefix(PREFIX).partition("#")
    scheme, _, rest = source.partition("://")
    if scheme not in SCHEMES:
        allowed = ", ".join(f"{PREFIX}{each}" for each in SCHEMES)
        raise AddressError(f"`{scheme}` is no way to fetch policy: begin with one of {allowed}, and `://`")
    host, slash, way = rest.partition("/")
    _assert_host(scheme, host)
    path, at, behind = way.partition("@")
    if not at or not _PATH.fullmatch(slash + path):
        raise AddressError("an address names repository and branch or tag: write `…/REPOSITORY@REF:FOLDER`")
    ref, _, folder = behind.partition(":")
    if not _REF.fullmatch(ref):
        raise AddressError(f"`{ref}` is no name of a branch or a tag: give one such as `main`")
    return Address(text, f"{scheme}://{host}{slash}{path}", ref, _folder(folder), _signers(fragment))


def _assert_host(scheme: str, host: str) -> None:
    if scheme == "file":
        if host:
            raise AddressError("a repository on this machine is written `git+file:///FOLDER@REF`, with three slashes")
    elif ":" in host.rpartition("@")[0]:
        raise AddressError("the address holds a password: put it into ~/.netrc, for addresses stand in logs")
    elif not _HOST.fullmatch(host):
        raise AddressError(f"`{host}` is no name of a host")


def _folder(text: str) -> str:
    parts = PurePosixPath(unquote(text)).parts
    if text.startswith("/") or {".."} & set(parts) or not all(part.isprintable() for part in parts):
        raise AddressError("the folder behind the `:` is one of the repository: write it from the top, without `..`")
    return "/".join(parts)


def _signers(fragment: str) -> Path | None:
    if not fragment:
        return None
    if not fragment.startswith(SIGNERS) or fragment == SIGNERS:
        raise AddressError(f"behind the `#` stands `{SIGNERS}FILE` or nothing")
    return Path(unquote(fragment.removeprefix(SIGNERS)))
