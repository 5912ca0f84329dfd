"""The commands that need documents and nothing else."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from process import COMMAND, EXAMPLE, ROOT, gridwright, on_a_terminal
from typer.main import get_command

from controller.cli.app import app

HEAVY = ("pandas", "httpx", "fastapi", "uvicorn", "aiohttp", "matplotlib", "prometheus_client")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example to spoil."""
    return shutil.copytree(EXAMPLE, tmp_path / "policy")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_check_is_silent_on_good_documents() -> None:
    ran = gridwright("check", EXAMPLE)
    assert (ran.status, ran.out, ran.err) == (0, f"{EXAMPLE}: no findings\n", "")


def test_check_tells_every_error_of_every_file_with_its_place(folder: Path) -> None:
    edit(folder / "services.yaml", "kind: Service", "kind: Servise")
    edit(folder / "pools.yaml", "kind: Pool", "kind: Pol")
    ran = gridwright("check", folder)
    assert ran.status == 1
    assert "services.yaml:" in ran.out
    assert "pools.yaml:" in ran.out
    assert ran.out.endswith("2 errors\n")


def test_check_as_json_gives_findings_as_data(folder: Path) -> None:
    edit(folder / "services.yaml", "kind: Service", "kind: Servise")
    ran = gridwright("check", folder, "--json")
    assert ran.status == 1
    assert ran.json()[0]["file"] == "services.yaml"
    assert ran.out == gridwright("check", folder, "--output", "json").out


def test_check_fails_on_broken_evidence_too(folder: Path) -> None:
    (folder / "evidence" / "more.yaml").write_text("kind: [")
    assert gridwright("check", folder).status == 1


def test_check_warns_of_evidence_that_ends_soon_and_does_not_fail(folder: Path) -> None:
    soon = datetime.now(UTC) + timedelta(days=10, hours=1)
    (folder / "evidence" / "more.yaml").write_text(
        "apiVersion: gridwright.dev/v1alpha1\nkind: Evidence\nmetadata: {name: soon}\n"
        "spec: {subject: {site: edge-paris}, claim: {standard: iso-27001, version: 1}, issuer: qsa.example, "
        f"issuedAt: 2020-01-01T00:00:00Z, expiresAt: {soon:%Y-%m-%dT%H:%M:%SZ}}}\n"
    )
    ran = gridwright("check", folder)
    assert ran.status == 0
    assert "evidence/more.yaml:3:18: warning GW0340: `soon` ends at " in ran.out
    assert "10 full days from now" in ran.out


def test_plan_tells_changes_promises_cost_and_reasons() -> None:
    ran = gridwright("plan", EXAMPLE)
    assert ran.status == 2
    for part in ("Something to change: $", "Changes", "Predicted", "p99", "Why", "receipt-ocr@edge-lyon", "in steps: "):
        assert part in ran.out
    assert "\x1b" not in ran.out
    assert all(line == line.rstrip() for line in ran.out.splitlines())


def test_plan_on_a_terminal_shows_what_it_is_doing_and_then_tables() -> None:
    ran = on_a_terminal("plan", EXAMPLE)
    assert ran.status == 2
    assert "Planning" in ran.out
    assert "\x1b[" in ran.out
    assert "───" in ran.out


def test_plan_as_json_is_one_document_with_everything_that_matters() -> None:
    ran = gridwright("plan", EXAMPLE, "--json")
    assert ran.status == 2
    plan = ran.json()["plan"]
    assert {(item["service"], item["origin"]) for item in plan["forecasts"]} == {
        ("receipt-ocr", "edge-paris"),
        ("receipt-ocr", "edge-lyon"),
        ("call-vad", "edge-paris"),
        ("call-vad", "edge-lyon"),
    }
    assert all(item["p50_us"] <= item["p95_us"] <= item["p99_us"] for item in plan["forecasts"])
    assert plan["cost_millicents_per_hour"] > 0
    assert plan["reasons"]
    assert ran.json()["changes"]


def test_card_data_is_planned_for_certified_sites_only() -> None:
    plan = gridwright("plan", EXAMPLE, "--json").json()["plan"]
    ways = [way for routes in plan["fleet"]["routes"] if routes["service"] == "receipt-ocr" for way in routes["ways"]]
    assert {placement["pool"] for way in ways for placement in way["placements"]} <= {"edge-paris", "cloud-frankfurt"}


def test_plan_loads_nothing_that_only_servers_and_charts_need() -> None:
    code = (
        "import sys; from controller.cli import app; status = app.main(sys.argv[1:]); "
        "sys.stderr.write(' '.join(sorted(sys.modules))); sys.exit(status)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "plan", EXAMPLE, "--json"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert not set(ran.stderr.split()).intersection(HEAVY)


@pytest.mark.parametrize("output", ["text", "json", "sarif", "github"])
def test_check_loads_nothing_that_only_plans_need(output: str) -> None:
    code = (
        "import sys; from controller.cli import app; status = app.main(sys.argv[1:]); "
        "sys.stderr.write(' '.join(sorted(sys.modules))); sys.exit(status)"
    )
    command = [sys.executable, "-c", code, "check", EXAMPLE, "--output", output]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert not set(ran.stderr.split()).intersection({*HEAVY, "numpy", "scipy", "numba", "ortools"})


def test_plan_on_broken_documents_lists_the_errors_and_plans_nothing(folder: Path) -> None:
    edit(folder / "services.yaml", "kind: Service", "kind: Servise")
    people = gridwright("plan", folder)
    assert (people.status, people.out) == (1, "")
    assert "services.yaml:" in people.err
    assert "nothing was planned" in people.err
    programs = gridwright("plan", folder, "--json")
    assert programs.status == 1
    assert programs.json()["findings"]


def test_explain_a_service_names_the_clause_against_each_barred_placement() -> None:
    ran = gridwright("explain", EXAMPLE, "receipt-ocr")
    assert ran.status == 0
    barred = [line for line in ran.out.splitlines() if line.startswith("ppocr-det/fp32@edge-lyon ")]
    assert len(barred) == 2
    assert all("barred" in line and "certification: " in line and "(compliance.yaml:" in line for line in barred)


def test_explain_a_placement_tells_each_use_that_it_could_have() -> None:
    answer = gridwright("explain", EXAMPLE, "silero-vad/fp32@edge-lyon", "--json").json()
    assert {(item["service"], item["stage"], item["origin"]) for item in answer["candidates"]} == {
        ("call-vad", "listen", "edge-paris"),
        ("call-vad", "listen", "edge-lyon"),
    }


def test_explain_latency_tells_the_parts_that_are_predicted() -> None:
    answer = gridwright("explain", EXAMPLE, "receipt-ocr", "--latency", "--json").json()
    assert {demand["origin"] for demand in answer["demands"]} == {"edge-paris", "edge-lyon"}
    for demand in answer["demands"]:
        assert [part["stage"] for part in demand["parts"] if part["what"] == "computing"] == [
            "detect",
            "orient",
            "read",
        ]
    text = gridwright("explain", EXAMPLE, "receipt-ocr", "--latency").out
    assert "computing" in text
    assert "--journal FILE" in text


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["receipt-orc"], "did you mean 'receipt-ocr'?"), (["receipt-ocr", "--journal", "nowhere.sqlite"], "not there")],
)
def test_explain_latency_says_what_is_missing(arguments: list[str], named: str) -> None:
    ran = gridwright("explain", EXAMPLE, *arguments, "--latency")
    assert ran.status == 1
    assert named in ran.err


def test_explain_something_unknown_offers_the_nearest_name() -> None:
    ran = gridwright("explain", EXAMPLE, "receipt-orc")
    assert ran.status == 1
    assert "did you mean 'receipt-ocr'?" in ran.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["plan"], "PATH"),
        (["plam", EXAMPLE], "plam"),
        (["plan", EXAMPLE, "--jsn"], "--jsn"),
        (["check", EXAMPLE / "nowhere"], "is not a folder"),
        (["check", EXAMPLE / "services.yaml"], "is not a folder"),
        (["replay", ROOT / "nowhere.sqlite"], "not there"),
        (["replay", EXAMPLE / "services.yaml"], "services.yaml"),
        (["run", EXAMPLE / "nowhere", "--connections", "x"], "is not a folder"),
        (["run", EXAMPLE, "--connections", ROOT / "nowhere"], "cannot be read"),
        (["apply", EXAMPLE, "--connections", "x"], "nobody is there"),
        (["apply", EXAMPLE, "--yes"], "--connections"),
    ],
)
def test_what_cannot_be_done_is_one_message_with_the_next_step(arguments: list[str | Path], named: str) -> None:
    ran = gridwright(*arguments)
    assert ran.status == 1
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert "next:  " in ran.err
    assert named in ran.err
    assert "Traceback" not in ran.err


def test_an_unexpected_error_leaves_its_traceback_in_a_file(tmp_path: Path) -> None:
    code = (
        "import sys; import controller.cli.sources as sources; sources.load = lambda *_: 1 / 0; "
        "from controller.cli import app; sys.exit(app.main(sys.argv[1:]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "check", EXAMPLE],
        env={"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "unexpected ZeroDivisionError" in ran.stderr
    assert "Traceback" not in ran.stderr
    (kept,) = tmp_path.glob("gridwright-*.log")
    assert "Traceback" in kept.read_text()


def test_ctrl_c_while_a_library_starts_is_no_unexpected_error(tmp_path: Path) -> None:
    """A compiled module whose start is interrupted raises an ImportError that began as a KeyboardInterrupt."""
    code = (
        "import sys; import controller.cli.sources as sources\n"
        "def load(*_):\n"
        "    try: raise KeyboardInterrupt\n"
        "    except KeyboardInterrupt: raise ImportError('initialization failed')\n"
        "sources.load = load; import controller.cli.app as app; "
        f"sys.exit(app.main(['check', {str(EXAMPLE)!r}]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env={"TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr, list(tmp_path.iterdir())) == (130, "", [])


def test_help_lists_every_command() -> None:
    ran = gridwright("--help")
    assert ran.status == 0
    for command in ("check", "plan", "apply", "run", "explain", "replay"):
        assert f" {command} " in ran.out


def test_every_option_of_every_command_is_told_of() -> None:
    def untold(command: Any, *path: str) -> list[str]:
        inner = getattr(command, "commands", {}).items()
        bare = [" ".join((*path, each.name)) for each in command.params if not getattr(each, "help", None)]
        return [*bare, *(name for called, each in inner for name in untold(each, *path, called))]

    assert untold(get_command(app)) == []


def test_every_command_of_the_readme_exists_with_its_options() -> None:
    readme = (ROOT / "README.md").read_text()
    lines = [line[2:].split("#")[0].split() for line in readme.splitlines() if line.startswith("$ gridwright ")]
    assert lines
    for words in lines:
        told = gridwright(words[1], "--help").out
        assert all(word in told for word in words if word.startswith("--"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_complete_in_the_shell(shell: str) -> None:
    environment = {"_GRIDWRIGHT_COMPLETE": f"complete_{shell}", "COMP_WORDS": "gridwright pl", "COMP_CWORD": "1"}
    environment |= {"_TYPER_COMPLETE_ARGS": "gridwright pl", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    ran = subprocess.run([COMMAND], env=environment, capture_output=True, text=True, check=False)
    assert "plan" in ran.stdout
