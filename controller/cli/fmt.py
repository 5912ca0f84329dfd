"""`gridwright fmt`: policy documents in the common order and layout."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from controller.cli.errors import CliError, Exit
from controller.cli.terminal import console

if TYPE_CHECKING:
    from policy.findings import Finding


class _File(NamedTuple):
    """A file as it is shown, and its text."""

    path: Path
    text: str


def fmt(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder of policy documents, or one file.")],
    *,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 when anything would change.")] = False,
) -> int:
    """Write policy documents as everybody does, and name the files that change.

    Keys come in the order in which the language declares them, comments stay with what they are about, and what the
    documents say stays the same. Files that hold anything else are left as they are, and so are bundles, whose digest
    would be another one.
    """
    from controller.cli.findings import show
    from controller.cli.writing import write_whole
    from policy.formatting.document import formatted

    files, findings = _read(path)
    changed = [each._replace(text=new) for each in files if (new := formatted(each.text)) != each.text]
    for file in changed:
        if not check:
            write_whole(file.path, file.text)
        print(file.path)
    show(console(), findings)
    return Exit.BAD_INPUT if findings or (check and changed) else Exit.DONE


def _read(path: Path) -> "tuple[list[_File], list[Finding]]":
    """The files of a folder without its bundles, and those that cannot be read; or the one file. Raises CliError."""
    from policy.bundles import BUNDLES
    from policy.folder import MAX_BYTES, read_texts
    from policy.source import EVIDENCE

    if path.is_dir():
        texts, findings = read_texts(path, skip=EVIDENCE)
        own = [(name, text) for name, text in texts if not name.startswith(f"{BUNDLES}/")]
        return [_File(path / name, text) for name, text in own], findings
    hint = "give a folder of policy documents or one of its files"
    try:
        if path.exists() and not path.is_file():
            raise CliError(f"{path} is no regular file", hint)
        if path.stat().st_size > MAX_BYTES:
            raise CliError(f"{path} has more than {MAX_BYTES} bytes", hint)
        return [_File(path, path.read_bytes().decode())], []
    except (OSError, UnicodeDecodeError) as trouble:
        raise CliError(f"{path} cannot be read: {trouble}", hint) from trouble
