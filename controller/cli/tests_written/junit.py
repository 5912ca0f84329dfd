"""Results as JUnit's XML, in the form that build servers read."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from controller.cli.findings_written.paths import seen_from
from controller.testing.many import Timed
from controller.testing.results import Outcome, Result


def report(results: Sequence[Timed], folder: Path, here: Path) -> str:
    """One suite with a case a test, with files relative to `here`. A broken test is an error there."""
    outcomes = [each.result.outcome for each in results]
    counts = {
        "name": "gridwright",
        "tests": str(len(outcomes)),
        "failures": str(outcomes.count(Outcome.FAILED)),
        "errors": str(outcomes.count(Outcome.BROKEN)),
        "time": f"{sum(each.seconds for each in results):.3f}",
    }
    suite = ET.Element("testsuite", counts)
    for each in results:
        file = seen_from(here, folder, each.result.place.file).as_posix()
        known = {"name": each.result.test, "classname": file, "file": file, "line": str(each.result.place.line)}
        case = ET.SubElement(suite, "testcase", {**known, "time": f"{each.seconds:.3f}"})
        _add_wrong(case, each.result)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _add_wrong(case: ET.Element, result: Result) -> None:
    failed = [
        f"{each.place} step {each.step}: expected {each.expected}; found {each.found}" for each in result.failures
    ]
    broken = [f"{each.place}: {each.message} ({each.hint})" for each in result.troubles]
    for tag, lines in (("error", broken), ("failure", failed)):
        if lines:
            ET.SubElement(case, tag, {"message": lines[0]}).text = "\n".join(lines)
