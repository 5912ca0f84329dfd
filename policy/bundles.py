"""Bundles: documents that were reviewed elsewhere, of which a policy takes those that it names by digest.

A bundle is a folder under `bundles` in the policy's own folder. Its files are read as others are, within their limits,
and nothing of it counts unless an Include has its digest: whoever may write there changes no policy.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from policy.catalogue import error, warning
from policy.composition import Include
from policy.findings import Finding, Level, Place
from policy.read_file import ReadFile
from policy.words import shown, suggestion

BUNDLES: Final = "bundles"
Text = tuple[str, str]
"""A file's name and contents."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The texts that are in force, each with what it says, and what is wrong with the bundles."""

    texts: tuple[Text, ...]
    files: tuple[ReadFile, ...]
    findings: tuple[Finding, ...]


def digest(texts: Iterable[Text]) -> str:
    """The digest of files, named from the bundle's folder, in any order.

    It is that of the lines that `sha256sum` prints of them, in the order of their names as bytes.
    """
    lines = (_line(name.encode(errors="surrogatepass"), text.encode(errors="surrogatepass")) for name, text in texts)
    return f"sha256:{hashlib.sha256(b''.join(line for _, line in sorted(lines))).hexdigest()}"


def taken(texts: Sequence[Text], read: Callable[[str, str], ReadFile]) -> Taken:
    """The texts outside of all bundles, and those of the bundles that these name, and so on."""
    bundles: defaultdict[str, list[Text]] = defaultdict(list)
    own: list[Text] = []
    for name, text in texts:
        folder, _, rest = name.partition("/")
        if folder == BUNDLES and rest:
            bundles[rest.partition("/")[0] if "/" in rest else ""].append((name, text))
        else:
            own.append((name, text))
    digests = _Digests(bundles)
    found = {text: read(*text) for text in own}
    wrong: list[Finding] = []
    named: set[str] = set()
    taken_already: set[str] = set()
    waiting = [include for file in found.values() for include in _includes(file)]
    while waiting:
        include = waiting.pop()
        trouble = _trouble(include, digests)
        wrong += trouble
        if not trouble and include.bundle not in taken_already:
            taken_already.add(include.bundle)
            files = {text: read(*text) for text in bundles[include.bundle]}
            found |= files
            waiting += [each for file in files.values() for each in _includes(file)]
        named.add(include.bundle)
    if not any(_is_torn(file) for file in found.values()):
        wrong += _idle(bundles, named)
    texts_in_force = tuple(sorted(found))
    return Taken(texts_in_force, tuple(found[text] for text in texts_in_force), tuple(wrong))


class _Digests:
    """The digests of bundles, each worked out once however many Includes ask for it."""

    def __init__(self, bundles: Mapping[str, Sequence[Text]]) -> None:
        self.names = frozenset(filter(None, bundles))
        self._bundles = bundles
        self._known: dict[str, str] = {}

    def of(self, bundle: str) -> str:
        """The digest of a bundle that there is."""
        if bundle not in self._known:
            folder = f"{BUNDLES}/{bundle}/"
            texts = ((name.removeprefix(folder), text) for name, text in self._bundles[bundle])
            self._known[bundle] = digest(texts)
        return self._known[bundle]


def _includes(file: ReadFile) -> list[Include]:
    return [item for _, item in file.declared if isinstance(item, Include)]


def _is_torn(file: ReadFile) -> bool:
    """Whether an Include may be among what could not be read of the file."""
    return bool(file.broken) or any(finding.level is Level.ERROR for finding in file.wrong)


def _trouble(include: Include, digests: _Digests) -> list[Finding]:
    if include.bundle not in digests.names:
        message = f"there is no bundle {shown(include.bundle)}"
        hint = suggestion(include.bundle, digests.names, f"put its folder under `{BUNDLES}`")
        return [error("GW0371", include.place, message, hint)]
    actual = digests.of(include.bundle)
    if actual == include.digest:
        return []
    message = f"the bundle `{include.bundle}` is not the one that was reviewed: its digest is {actual}"
    return [error("GW0370", include.digest_place, message, "review what changed in it, then write its digest here")]


def _idle(bundles: dict[str, list[Text]], named: set[str]) -> Iterable[Finding]:
    for bundle, texts in sorted(bundles.items()):
        place = Place(texts[0][0], 1, 1)
        if not bundle:
            message, hint = "the file is in no bundle, so it is not read", f"move it into a folder under `{BUNDLES}`"
            yield warning("GW0372", place, message, hint)
        elif bundle not in named:
            message = f"no Include names the bundle `{bundle}`, so it is not read"
            yield warning("GW0372", place, message, "include it by its digest, or take it away")


def _line(name: bytes, data: bytes) -> tuple[bytes, bytes]:
    """The name, and what `sha256sum` prints: names that would break the line are escaped, and the line says so."""
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    mark = b"\\" if escaped != name else b""
    return name, mark + hashlib.sha256(data).hexdigest().encode() + b"  " + escaped + b"\n"
