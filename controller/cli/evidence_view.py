"""When evidence ends and what it takes with it, as tables."""

from typing import TYPE_CHECKING, Final

from controller.cli.terminal import print_table

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from controller.lapses import Ending, Lapse, Outlook
    from rules.kernel.problem import Placement

ENDING: Final = ("Until", "Of", "Holds", "Clauses", "For")
LAPSE: Final = ("From", "Leaves at", "Service", "Stage", "Requests of", "No longer", "Still allowed")
DIGEST_SHOWN: Final = len("sha256:") + 12
"""Characters of a digest that tell it from others."""


def show(out: "Console", found: "Outlook") -> None:
    """Both tables, soonest first; a sentence where there is nothing to tell."""
    if not found.endings:
        out.print("No evidence ends.")
        return
    print_table(out, "Evidence that ends", ENDING, [_ending(each) for each in found.endings])
    if found.lapses:
        print_table(out, "What stops being allowed", LAPSE, [_lapse(each) for each in found.lapses])
    else:
        out.print("All of it can end without anything stopping to be allowed.")


def _ending(each: "Ending") -> tuple[str, ...]:
    subject = each.subject[:DIGEST_SHOWN] if each.subject_kind == "artefact" else each.subject
    asked = ", ".join(map(str, each.clauses)) or "nothing"
    return (_minute(each.at), f"{each.subject_kind} {subject}", each.standard, asked, ", ".join(each.services) or "-")


def _lapse(each: "Lapse") -> tuple[str, ...]:
    what = (each.service, each.stage, ", ".join(each.origins))
    return (_minute(each.at), _minute(each.leaves_at), *what, _listed(each.gone), _listed(each.left) or "NOTHING")


def _listed(placements: "tuple[Placement, ...]") -> str:
    return ", ".join(map(str, placements))


def _minute(at: "datetime") -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"
