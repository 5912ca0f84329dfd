"""What is told of stages that stay together, where the clause itself is wrong."""

from pathlib import Path

from policy.source import load, load_documents

FACTORY = Path(__file__).parents[2] / "examples" / "factory"


def test_a_clause_about_stages_that_there_are_not_is_told_once_and_breaks_nothing_down() -> None:
    files = {file.name: file.read_text() for file in FACTORY.glob("*.yaml")}
    assert load(FACTORY).policy is not None
    wrong = ("together: {stages: [crop, judge]", "together: {stages: [nowhere, neither]")
    broken = {name: text.replace(*wrong) for name, text in files.items()}
    assert broken != files
    found = load_documents(sorted(broken.items())).findings
    assert any("nowhere" in each.message for each in found)
