"""`gridwright schema`: the policy language for editors and for Kubernetes."""

import sys
from typing import Annotated

import typer

from controller.cli.errors import CliError, Exit


def schema(
    *,
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="One kind alone, such as Service.")] = None,
    crd: Annotated[bool, typer.Option("--crd", help="Custom resource definitions instead, as YAML.")] = False,
) -> int:
    """Print the JSON Schema of the policy documents, or their custom resource definitions."""
    from policy.documents import KINDS
    from policy.schema.crd import definitions
    from policy.schema.files import as_json, as_yaml, kept
    from policy.schema.json import of_kind
    from policy.words import shown, suggestion

    if kind is not None and kind not in KINDS:
        raise CliError(f"there is no kind {shown(kind)}", suggestion(kind, KINDS, "leave it out"))
    whole = kept()
    if crd:
        wanted = [each for each in definitions(whole).values() if kind in {None, each["spec"]["names"]["kind"]}]
        sys.stdout.write(as_yaml(wanted))
    else:
        sys.stdout.write(as_json(of_kind(whole, kind) if kind else whole))
    return Exit.DONE
