"""The page of each finding, made from the table in docs/findings.md and the broken documents of the tests.

`make findings` writes them; a test holds that those in the repository are these.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from rules.catalogue import RULES
from tests.project.catalogues import TITLES

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "findings"
TABLE: Final = ROOT / "docs" / "findings.md"
RULES_PAGE: Final = ROOT / "docs" / "rules.md"
BROKEN: Final = ROOT / "tests" / "policy" / "broken"
MOST_LINES: Final = 14
"""Of a broken document, around the line that a finding is about."""
ROW: Final = re.compile(r"^\| (GW\d{4}) \| (.*) \| (.*) \| (.*) \|$", re.MULTILINE)
TOLD: Final = re.compile(r"^(\S+?):(\d+):\d+: (?:error|warning|info) (GW\d{4}): ")


@dataclass(frozen=True, slots=True)
class Example:
    """Lines of a document, from `first` on, and the finding that they give."""

    file: str
    first: int
    lines: tuple[str, ...]
    told: str


def pages() -> dict[Path, str]:
    """Every page, and the list of them."""
    rows = ROW.findall(TABLE.read_text(encoding="utf-8"))
    shown = examples()
    made = {FOLDER / f"{row[0]}.md": page(*row, shown.get(row[0])) for row in rows}
    listed = [f"- [{row[0]}]({row[0]}.md): {title(row[0])}" for row in rows]
    head = "# Findings, one by one\n\nMade from [findings.md](../findings.md) and the tests by `make findings`.\n\n"
    return {**made, FOLDER / "README.md": head + "\n".join(listed) + "\n"}


def page(finding: str, says: str, cause: str, remedy: str, example: Example | None) -> str:
    """A finding with its cause, an example where the tests have one, and what to do."""
    lines = [f"# {finding}: {title(finding)}", "", *meaning(finding, says, example)]
    lines += [f"**A cause:** {relinked(cause)}.", ""]
    if example:
        last = example.first + len(example.lines) - 1
        lines += [f"In lines {example.first} to {last} of a file:", "", "```yaml", *example.lines, "```", ""]
        lines += ["`gridwright check` tells:", "", "```", example.told, "```", ""]
    lines += [f"**What to do:** {relinked(remedy)}.", "", "[All findings](README.md)", ""]
    return "\n".join(lines)


def meaning(finding: str, says: str, example: Example | None) -> Iterator[str]:
    """What follows from it, as far as the table and the rules tell."""
    promise = promises().get(finding)
    if promise:
        yield from (f"**The promise:** {relinked(promise)}", "")
    elif says != title(finding) and not says.startswith(f"{title(finding)} ("):
        yield from (f"**What it says:** {relinked(says)}.", "")
    if example:
        is_error = ": error GW" in example.told
        yield "An error: the document is not used." if is_error else "A warning: the document is used all the same."
        yield ""


@cache
def promises() -> dict[str, str]:
    """What each rule promises, by the finding that tells that it does not hold."""
    rows = re.findall(
        r"^\| `\w+` \| (.*?) \| .* \| (GW\d{4}) \|$", RULES_PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {finding: promise for promise, finding in rows}


def title(finding: str) -> str:
    """What the catalogues call it; of a rule, that it is broken."""
    rules = {rule.finding_id: f"the rule `{rule.id}` is broken" for rule in RULES}
    return TITLES.get(finding) or rules[finding]


def relinked(text: str) -> str:
    """The text with links as seen from a folder below."""
    return re.sub(r"\]\((?!http)", "](../", text)


def examples() -> dict[str, Example]:
    """By finding, the shortest broken document that gives it."""
    found: dict[str, Example] = {}
    for golden in sorted(BROKEN.glob("*.txt")):
        for told in golden.read_text(encoding="utf-8").splitlines():
            match = TOLD.match(told)
            if match:
                source = BROKEN / match[1] if (BROKEN / match[1]).is_file() else BROKEN.parent / match[1]
                example = around(source, int(match[2]), told)
                found[match[3]] = min(found.get(match[3], example), example, key=lambda each: len("".join(each.lines)))
    return found


def around(source: Path, line: int, told: str) -> Example:
    """The document that a line is in, as much of it as is shown."""
    text = source.read_text(encoding="utf-8").splitlines()
    marks = [at for at, each in enumerate(text, 1) if each.startswith("---")]
    first = max((mark + 1 for mark in marks if mark < line), default=1)
    last = min((mark - 1 for mark in marks if mark > line), default=len(text))
    first, last = narrowed(first, last, line)
    return Example(source.name, first, tuple(cut(text[first - 1 : last])), told)


def narrowed(first: int, last: int, line: int) -> tuple[int, int]:
    """No more lines than are shown, the one that is meant among them."""
    if last - first < MOST_LINES:
        return first, last
    start = max(first, min(line - MOST_LINES // 2, last - MOST_LINES + 1))
    return start, start + MOST_LINES - 1


def cut(lines: list[str]) -> Iterator[str]:
    """Lines that a page can hold, whatever signs are in them."""
    for line in lines:
        text = "".join(each if each.isprintable() or each == "\t" else "\N{REPLACEMENT CHARACTER}" for each in line)
        yield text if len(text) <= 160 else f"{text[:160]}…"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for old in {*FOLDER.glob("*.md")} - made.keys():
        old.unlink()
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
