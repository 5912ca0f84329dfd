"""`gridwright test`: the PolicyTests beside a policy."""

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from controller.cli.arguments import AsJson, Environment, Folder
from controller.cli.errors import BrokenPolicyError, CliError, Exit
from controller.cli.solver import loading_solver
from controller.cli.terminal import counting
from controller.cli.tests_written import Output, write

if TYPE_CHECKING:
    from controller.cli.sources import Source
    from controller.testing.coverage import Covered
    from controller.testing.many import Suite, Timed, Workers
    from policy.testing import PolicyTest

CORES: Final = os.cpu_count() or 1


class Covering(StrEnum):
    """What it takes to cover a clause: that it takes part in a plan, or that a test fails without it."""

    EXERCISED = "exercised"
    MUTATION = "mutation"


Written = Annotated[Output, typer.Option("--output", help="How to write the results.")]
Named = Annotated[str, typer.Option("-k", metavar="TEXT", help="Only tests whose name or file has this in it.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Processes; by default one a core.")]
JunitFile = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Also write the results there, as JUnit's XML.")
]
CoverageBy = Annotated[
    Covering | None,
    typer.Option(
        "--coverage",
        help="Tell which clauses the tests cover: those that take part in a plan, or those without which a test fails.",
    ),
]


def run_tests(
    path: Folder,
    *,
    named: Named = "",
    jobs: Jobs = CORES,
    output: Written = Output.TEXT,
    as_json: AsJson = False,
    junit: JunitFile = None,
    covering: CoverageBy = None,
    environment: Environment = "",
) -> int:
    """Let happen what the PolicyTests say, and tell what does not hold then. No server is asked.

    Exits 0 when everything holds, 2 when something does not or could not be judged, and 1 when the documents have
    errors or there is no test.
    """
    if as_json and output not in {Output.TEXT, Output.JSON}:
        raise CliError(f"--json and --output {output} are both asked for", "leave one of the two out")
    wanted = Output.JSON if as_json else output
    suite = read_suite(path, named, environment, as_json=wanted is Output.JSON)
    results, covered = _run(suite, jobs, covering)
    write(results, covered, wanted, path.folder)
    if junit is not None:
        _keep(junit, results, path.folder)
    return Exit.CHANGE if any(not each.result.has_passed for each in results) else Exit.DONE


def read_suite(path: "Source", named: str, environment: str, *, as_json: bool) -> "Suite":
    """The tests of a folder, without errors. Raises CliError, also when there are none."""
    from collectors.evidence.files import read_evidence
    from controller.cli.inputs import asserted_folder
    from policy.findings import Level
    from policy.source import EVIDENCE

    folder = asserted_folder(path.folder)
    loaded = path.within(environment).load()
    findings = (*loaded.findings, *loaded.of_tests)
    if loaded.policy is None or any(finding.level is Level.ERROR for finding in findings):
        raise BrokenPolicyError(str(path), findings, as_json=as_json)
    policy = loaded.policy
    tests = _wanted(loaded.tests, named, str(path))
    evidence = {at: read_evidence(folder / EVIDENCE, policy.issuers, at)[0] for at in {each.at for each in tests}}
    with loading_solver():
        from controller.testing.many import Suite
    return Suite(policy, tests, evidence)


def _run(
    suite: "Suite", jobs: int, covering: Covering | None
) -> "tuple[tuple[Timed, ...], tuple[Covered, ...] | None]":
    """The results in the order of the tests' names, and the clauses where they are asked for."""
    from controller.testing.many import in_order, run_all, workers

    with workers(min(jobs, len(suite.tests)) if covering is not Covering.MUTATION else jobs, prepared) as at:
        results = []
        with counting("Testing", len(suite.tests)) as advance:
            for each in run_all(suite, at):
                results.append(each)
                advance(each.result.test)
        ordered = in_order(results)
        return ordered, _covered(suite, ordered, at, covering) if covering else None


def _covered(suite: "Suite", results: "Sequence[Timed]", at: "Workers", covering: Covering) -> "tuple[Covered, ...]":
    from controller.testing.coverage import coverage, exercising
    from controller.testing.many import mutants_of, notice_all

    found = [each.result for each in results]
    if covering is Covering.EXERCISED:
        return coverage(suite.policy, exercising(found))
    mutants = mutants_of(suite, found)
    noticed = {}
    with counting("Leaving out clauses", len(mutants)) as advance:
        for place, test in notice_all(suite, mutants, at):
            noticed[place] = [test] if test else []
            advance(str(place))
    return coverage(suite.policy, noticed)


def prepared() -> None:
    """What decides is imported, and knows the latencies that were simulated before."""
    with loading_solver():
        import controller.testing.run  # noqa: F401 - imported for the tests to come


def _wanted(tests: "Sequence[PolicyTest]", named: str, path: str) -> "tuple[PolicyTest, ...]":
    if not tests:
        raise CliError(f"there is no PolicyTest in {path}", "docs/testing.md shows how to write one")
    wanted = tuple(each for each in tests if named in each.name or named in each.place.file)
    if not wanted:
        from controller.nearest import nearest

        raise CliError(f"no test has '{named}' in its name or file", nearest(named, [each.name for each in tests]))
    return wanted


def _keep(file: Path, results: "Sequence[Timed]", path: Path) -> None:
    from controller.cli.tests_written.junit import report

    try:
        file.write_text(report(results, path, Path.cwd()), encoding="utf-8")
    except OSError as error:
        raise CliError(
            f"{file} cannot be written: {error.strerror}", "give a file in a folder that there is"
        ) from error
