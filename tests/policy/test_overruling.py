"""Of two sources one counts where both have a document, and all else stays where it was."""

from policy.findings import Place
from policy.overruling import Overruled, merged
from policy.source import load_documents

SITE = "apiVersion: gridwright.dev/v1alpha1\nkind: Site\nmetadata: {name: %s}\nspec: {jurisdiction: %s}\n"


def site(name: str, jurisdiction: str) -> str:
    return SITE % (name, jurisdiction)


def test_the_losers_document_is_blank_and_others_keep_their_lines() -> None:
    text = f"# of all\n{site('a', 'de')}---\n{site('b', 'de')}---\n{site('c', 'de')}"
    found = merged([("kubernetes:Site/b.yaml", site("b", "fr"))], [("sites.yaml", text)])
    assert found.overruled == (
        Overruled(("Site", "b"), Place("sites.yaml", 7, 1), Place("kubernetes:Site/b.yaml", 1, 1)),
    )
    (_, blanked) = found.texts[1]
    lines, before = blanked.split("\n"), text.split("\n")
    assert len(lines) == len(before)
    assert (lines[:5], lines[5:10], lines[10:]) == (before[:5], [""] * 5, before[10:])


def test_what_remains_of_both_is_read_as_one_policy() -> None:
    text = f"{site('a', 'de')}---\n{site('b', 'de')}"
    found = merged([("kubernetes:Site/a.yaml", site("a", "fr"))], [("sites.yaml", text)])
    told = load_documents(found.texts).findings
    assert not [each for each in told if each.id == "GW0301"]
    assert {each.place.file for each in told if each.place} <= {"kubernetes:Site/a.yaml", "sites.yaml", "."}


def test_the_first_and_the_last_document_of_a_file_are_taken_out_alike() -> None:
    text = f"---\n{site('a', 'de')}---\n{site('b', 'de')}...\n"
    both = [("x.yaml", f"{site('a', 'fr')}---\n{site('b', 'fr')}")]
    (_, blanked) = merged(both, [("sites.yaml", text)]).texts[1]
    assert not blanked.replace("...", "").strip()


def test_documents_of_other_kinds_or_names_and_of_bundles_stay() -> None:
    other = [("bundles/eu/sites.yaml", site("a", "de")), ("more.yaml", site("b", "de").replace("Site", "Pool"))]
    found = merged([("kubernetes:Site/a.yaml", site("a", "fr")), ("kubernetes:Site/b.yaml", site("b", "fr"))], other)
    assert found.overruled == ()
    assert list(found.texts[2:]) == other


def test_what_is_no_yaml_stays_to_be_told_of() -> None:
    broken = f"{site('a', 'de')}---\nkind: [Site\n"
    (_, blanked) = merged([("x.yaml", site("a", "de"))], [("sites.yaml", broken)]).texts[1]
    assert blanked == "\n" * 4 + "---\nkind: [Site\n"
