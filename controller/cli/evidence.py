"""`gridwright evidence`: signs statements, and tells what a verifier finds in them."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.arguments import AsJson, Environment, Folder
from controller.cli.errors import CliError, Exit
from controller.cli.terminal import console, print_table, write_json

if TYPE_CHECKING:
    from collectors.evidence.records import Evidence

Document = Annotated[
    Path, typer.Argument(metavar="FILE", help="The Evidence document in YAML, or an in-toto statement in JSON.")
]
KeyFile = Annotated[Path, typer.Option("--key", metavar="FILE", help="The issuer's private key, in PEM.")]
KeyArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The private key, in PEM.")]
Subject = Annotated[
    str, typer.Argument(metavar="KIND/NAME", help="Whom results are about: pool/NAME, node/NAME or site/NAME.")
]
Kid = Annotated[
    str, typer.Option("--kid", metavar="NAME", help="What the Issuer calls the key; its only one may have none.")
]
Audience = Annotated[str, typer.Option("--audience", metavar="NAME", help="The Issuer's audience, if it has one.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Where it goes: NAME.jwt, or NAME.dsse of JSON; stdout without it."),
]

app = typer.Typer(no_args_is_help=True, help="Sign evidence, tell what a verifier finds, and when it ends.")


@app.command("sign")
def sign(document: Document, *, key: KeyFile, kid: Kid = "", audience: Audience = "", output: Output = None) -> int:
    """Make a signed statement of an Evidence document, to stand in the folder of evidence in its place.

    A statement about models in a file NAME.json, such as which data they remove, is signed as it stands.
    """
    from datetime import UTC

    from controller.cli.enveloping import enveloped, statement_at
    from controller.cli.signing import document_at, key_at, signed
    from controller.cli.writing import write_whole

    _check_document(document)
    if output is not None:
        _check_ending(document, output)
    now = datetime.now(UTC)
    if document.suffix == ".json" and audience:
        raise CliError("a statement about models has no audience", "leave `--audience` out")
    made = (
        enveloped(statement_at(document, now), key_at(key), kid)
        if document.suffix == ".json"
        else signed(document_at(document), key_at(key), kid, audience, now)
    )
    if output is None:
        print(made)
        return Exit.DONE
    write_whole(output, f"{made}\n")
    return Exit.DONE


@app.command("key")
def show_key(key: KeyArgument, *, kid: Kid = "") -> int:
    """Print the public key of a private one, as it stands among the `keys` of an Issuer."""
    from controller.cli.signing import key_at, public_jwk

    write_json(public_jwk(key_at(key), kid))
    return Exit.DONE


@app.command("nonce")
def nonce(subject: Subject) -> int:
    """Print a new nonce for a site, a pool or a node, as it stands among the `nonces` of an Issuer.

    A verifier puts it into its result, and a clause with `nonce: true` takes no result without it.
    """
    from datetime import UTC

    from controller.cli.signing import new_nonce

    print(f"- {new_nonce(subject, datetime.now(UTC))}")
    return Exit.DONE


@app.command("verify")
def verify(path: Folder, *, environment: Environment = "", as_json: AsJson = False) -> int:
    """Tell which evidence of a policy counts now, and why the rest does not. Exits 0, or 1 when any is refused."""
    from controller.cli.findings import count, show
    from controller.cli.inputs import read
    from policy.findings import Level

    documents = read(path, environment, as_json=as_json)
    good = all(finding.level is not Level.ERROR for finding in documents.findings)
    if as_json:
        write_json({"ok": good, "evidence": documents.evidence, "findings": documents.findings})
    else:
        out = console()
        if documents.evidence:
            columns = ("Of", "Holds", "Says", "From", "Until", "File")
            print_table(out, "Evidence that counts", columns, [_row(item) for item in documents.evidence])
        show(out, documents.findings)
        out.print(f"{path}: {len(documents.evidence)} count, {count(documents.findings)}")
    return Exit.DONE if good else Exit.BAD_INPUT


@app.command("forecast")
def forecast(path: Folder, *, environment: Environment = "", as_json: AsJson = False) -> int:
    """Tell when evidence ends, which services lean on it, and when a pool or variant may no longer serve them.

    It is told as if nothing were renewed. Exits 0, or 1 when evidence is refused.
    """
    from datetime import UTC

    from controller.cli.evidence_view import show as show_outlook
    from controller.cli.findings import show
    from controller.cli.inputs import read
    from controller.lapses import outlook
    from policy.checks.endings import endings
    from policy.findings import Level

    now = datetime.now(UTC)
    documents = read(path, environment, as_json=as_json)
    found = outlook(documents.policy, documents.evidence, now)
    findings = (*documents.findings, *endings(documents.evidence, now), *found.findings)
    good = all(finding.level is not Level.ERROR for finding in findings)
    if as_json:
        write_json({"ok": good, "endings": found.endings, "lapses": found.lapses, "findings": findings})
    else:
        out = console()
        show_outlook(out, found)
        show(out, findings)
    return Exit.DONE if good else Exit.BAD_INPUT


def _check_document(document: Path) -> None:
    """Raises CliError for a file whose name does not tell what is in it; one without an ending is taken for YAML."""
    from policy.folder import SUFFIXES

    if document.suffix not in {"", ".json", *SUFFIXES}:
        hint = "name it NAME.yaml where it is an Evidence document, NAME.json where it is a statement about models"
        raise CliError(f"`{document.name}` may be either", f"{hint}; nothing was signed")


def _check_ending(document: Path, output: Path) -> None:
    """Raises CliError for a file that would be read as something else than what stands in it."""
    from collectors.evidence.files import ENVELOPES, TEXT_TOKENS

    is_envelope = document.suffix == ".json"
    if not output.name.endswith(ENVELOPES if is_envelope else TEXT_TOKENS):
        made = "an envelope (DSSE)" if is_envelope else "a token (JWT)"
        wanted = f"{output.stem}{'.dsse' if is_envelope else '.jwt'}"
        message = f"{document.name} is signed as {made}, which nobody looks for in `{output.name}`"
        raise CliError(message, f"write it to `{wanted}`; nothing was signed")


def _date(at: datetime) -> str:
    """To the minute; nothing where there is no end."""
    from collectors.evidence.records import FOREVER, UNDATED

    return f"{at:%Y-%m-%d %H:%M}Z" if at not in {UNDATED, FOREVER} else "-"


def _row(item: "Evidence") -> tuple[str, ...]:
    from collectors.evidence.records import ARTEFACT
    from controller.cli.evidence_view import DIGEST_SHOWN

    holds = f"{item.standard} {'.'.join(map(str, item.version))}"
    dates = (_date(at) for at in (item.issued_at, item.expires_at))
    said = item.issuer if item.digest else f"{item.issuer} (not signed)"
    of = item.subject[:DIGEST_SHOWN] if item.subject_kind == ARTEFACT else item.subject
    return (f"{item.subject_kind} {of}", holds, said, *dates, item.place.file)
