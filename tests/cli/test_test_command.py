"""`gridwright test`, as people and build servers run it."""

import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from process import ROOT, gridwright

HEALTH = ROOT / "examples" / "health"
NAMES = "names-stay-in-the-hospital"


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """The example with a test that expects too much, and one that lets happen what cannot."""
    folder = shutil.copytree(HEALTH, tmp_path / "policy")
    file = folder / "tests" / "patients.yaml"
    text = file.read_text()
    text = text.replace("stage: deidentify, pools: [hospital]}", "stage: deidentify, pools: [paris-reserved]}", 1)
    file.write_text(text.replace("linkLost: [cloud-paris, cloud-virginia]", "evidenceEnds: {pool: paris-reserved}"))
    return folder


@pytest.mark.parametrize("name", ["health", pytest.param("embedded", marks=pytest.mark.long)])
def test_the_tests_of_an_example_pass(name: str) -> None:
    ran = gridwright("test", ROOT / "examples" / name, timeout_s=280)
    assert ran.status == 0, ran.out + ran.err
    *tests, last = ran.out.splitlines()
    assert last == f"{len(tests)} passed"
    assert all(line.startswith("passed ") for line in tests)


def test_what_does_not_hold_is_told_with_what_there_is_instead(wrong: Path) -> None:
    ran = gridwright("test", wrong, "-k", "patients", "--jobs", "2")
    assert ran.status == 2
    lines = ran.out.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith(f"failed {NAMES} "))
    assert lines[at + 1 : at + 4] == [
        "  tests/patients.yaml:9:11 step 1",
        "    - expected: stage deidentify of x-ray-triage to run only on paris-reserved",
        "    + found:    deidentify on hospital (from hospital-lille)",
    ]
    assert "broken a-bad-week-for-the-network " in ran.out
    assert "pool paris-reserved has no evidence that could end" in ran.out
    assert lines[-1] == "1 failed, 1 broken"


def test_junit_has_a_case_a_test_with_what_is_wrong_with_it(wrong: Path, tmp_path: Path) -> None:
    ran = gridwright("test", wrong, "-k", "patients", "--output", "junit", "--junit", tmp_path / "kept.xml")
    suite = ET.fromstring(ran.out).find("testsuite")  # noqa: S314 - written by what is tested
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "1")
    cases = {case.get("name"): case for case in suite}
    failure = cases[NAMES].find("failure")
    assert failure is not None
    assert "tests/patients.yaml:9:11 step 1" in (failure.get("message") or "")
    assert cases["a-bad-week-for-the-network"].find("error") is not None
    kept = ET.fromstring((tmp_path / "kept.xml").read_text())  # noqa: S314 - written by what is tested
    assert [case.get("name") for case in kept.iter("testcase")] == [*cases]


def test_a_workflow_gets_an_annotation_at_the_expectation(wrong: Path) -> None:
    ran = gridwright("test", wrong, "-k", NAMES, "--output", "github")
    first, last = ran.out.splitlines()
    assert first.startswith("::error file=")
    assert f"tests/patients.yaml,line=9,col=11,title={NAMES}::expected stage deidentify" in first
    assert last == "::notice title=gridwright test::1 failed"


def test_programs_get_results_and_the_clauses_that_are_covered() -> None:
    answer = gridwright("test", HEALTH, "-k", NAMES, "--json", "--coverage", "mutation").json()
    assert [each["result"]["outcome"] for each in answer["tests"]] == ["passed"]
    covered = {(each["place"]["line"], each["clause"]): each["tests"] for each in answer["coverage"]}
    assert len(covered) == 15
    assert [line for (line, _), tests in covered.items() if tests == [NAMES]] == [28]


def test_coverage_is_a_table_of_clauses_with_the_tests_that_exercise_them() -> None:
    ran = gridwright("test", HEALTH, "-k", NAMES, "--coverage", "exercised")
    row = next(line for line in ran.out.splitlines() if "shared-memory >=1 is not held" in line)
    assert row.split()[-2:] == ["compliance.yaml:16:9", NAMES]
    assert ran.out.splitlines()[-1] == "7 of 15 clauses are covered"


def test_broken_documents_are_told_and_nothing_is_run(wrong: Path) -> None:
    (wrong / "tests" / "more.yaml").write_text((wrong / "tests" / "patients.yaml").read_text().replace("siteL", "sitL"))
    (wrong / "services.yaml").write_text("kind: [")
    ran = gridwright("test", wrong)
    assert (ran.status, ran.out) == (1, "")
    assert "services.yaml" in ran.err


def test_a_folder_without_tests_and_a_name_that_no_test_has_are_told(wrong: Path) -> None:
    nobody = gridwright("test", wrong, "-k", "names-stay-in-the-hospitl")
    assert nobody.status == 1
    assert f"did you mean '{NAMES}'?" in nobody.err
    shutil.rmtree(wrong / "tests")
    nothing = gridwright("test", wrong)
    assert nothing.status == 1
    assert "there is no PolicyTest" in nothing.err
