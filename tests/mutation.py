"""Mutation of the rules: change one comparison or one number, and some test must fail.

Run as `python tests/mutation.py [FILE ...]` from the root; without files, everything in `rules/` is mutated. Cosmic Ray
finds and makes the changes. They are run here and not by its own command, because that rewrites the files in place and
starts Python afresh for each: here a mutated module lives in memory only, in a fork of a process that has run the tests
once and so has all libraries loaded.

A survivor fails the run, unless `EQUIVALENT` gives the reason why no test can tell it from the original; so does an
entry there that is no survivor any more.
"""

import argparse
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.comparison_operator_replacement import operators as comparisons
from cosmic_ray.operators.number_replacer import NumberReplacer
from cosmic_ray.operators.operator import Operator
from rich.console import Console
from rich.progress import track

ROOT: Final = Path(__file__).parents[1]
SUITE: Final = (
    "tests/rules/test_rule_kernel.py",
    "tests/rules/test_served_entries.py",
    "tests/rules/test_moving_groups.py",
    "tests/rules/test_churn_price.py",
    "tests/rules/test_rule_contract.py",
    "tests/rules/test_rule_engine.py",
    "tests/rules/test_removed_data.py",
)
"""Quick files first: the first failure ends a run."""

RELOADED: Final = ("rules", "controller", "tests")
"""Packages that a fork imports anew, because they hold what the mutated module defines."""

PASSED: Final = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
"""A mutant that no test was run on has survived too."""

TIMEOUT_S: Final = 30
"""Of one test. A fork that has not answered after ten times as long has died, and the run ends."""

EQUIVALENT: Final[dict[tuple[str, str, str], str]] = {
    (
        "rules/unit_cost.py",
        "above, below = 0, 1",
        "above, below = 0, 2",
    ): "a fraction is the same with twice the denominator",
    (
        "rules/allocated_cost.py",
        "above, below = 0, 1",
        "above, below = 0, 2",
    ): "a fraction is the same with twice the denominator",
    (
        "rules/allocated_cost.py",
        "if violation.quantity == dear_paths.PATH:",
        "if violation.quantity >= dear_paths.PATH:",
    ): "any other violation has no quantity, and that is less than any word",
    (
        "rules/budget.py",
        "if violation.quantity == dear_paths.PATH:",
        "if violation.quantity >= dear_paths.PATH:",
    ): "any other violation has no quantity, and that is less than any word",
    (
        "rules/degrade.py",
        "most = WHOLE_PERMILLE if level == best_effort else min(shed, WHOLE_PERMILLE)",
        "most = WHOLE_PERMILLE if level >= best_effort else min(shed, WHOLE_PERMILLE)",
    ): "a level above best effort has been reported before this line",
    (
        "rules/encryption_at_rest.py",
        "if is_of and clause.claim in result.claims and result.tier == AFFIRMING:",
        "if is_of and clause.claim in result.claims and result.tier <= AFFIRMING:",
    ): "the only other tier of results that count is `warning`, a later word",
    (
        "rules/kernel/dear_paths.py",
        "dear = tuple((path, 1) for path, price in prices if price > MOST_MILLICENTS_PER_HOUR)",
        "dear = tuple((path, 2) for path, price in prices if price > MOST_MILLICENTS_PER_HOUR)",
    ): "shares of which no more than nothing is allowed are nothing, however often they count",
    (
        "rules/kernel/moving_groups.py",
        "calls.items(), key=lambda item: (item[0][:2], sorted(item[0][3]))",
        "calls.items(), key=lambda item: (item[0][: 3], sorted(item[0][3]))",
    ): "a service asks for it at one place",
    (
        "rules/kernel/moving_groups.py",
        "services = one.services if one.services == other.services else frozenset[str]()",
        "services = one.services if one.services <= other.services else frozenset[str]()",
    ): "a group is of one service or of none, so the lesser of two that differ is none",
    (
        "rules/kernel/moving_groups.py",
        "return common > 0, one.services == other.services, common",
        "return common > 0, one.services <= other.services, common",
    ): "groups of no service stand behind all others, so the first of a pair is less only if the second is as little",
    (
        "rules/kernel/moving_groups.py",
        "return common > 0, one.services == other.services, common",
        "return common != 0, one.services == other.services, common",
    ): "no number of options is below 0",
    (
        "rules/kernel/refuge.py",
        "if math.prod(map(len, every)) == len(ways):",
        "if math.prod(map(len, every)) < len(ways):",
    ): "what is found option by option is the same, only later",
    (
        "rules/kernel/refuge.py",
        "if math.prod(map(len, every)) == len(ways):",
        "if math.prod(map(len, every)) <= len(ways):",
    ): "ways are never more than the combinations of their options",
}
"""(file, original line, mutated line): why both mean the same."""


class Membership(Operator):
    """`in` for `not in` and the other way round: the comparisons that Cosmic Ray leaves alone."""

    SWAPPED: Final = {"in": "not in", "not in": "in"}

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        """Where a membership is asked."""
        for operator in self._operators(node):
            yield operator.start_pos, operator.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Ask the opposite."""
        operator = list(self._operators(node))[index]
        at = node.children.index(operator)
        node.children[at] = get_ast(" " + self.SWAPPED[operator.get_code().strip()])
        return node

    def _operators(self, node: Any) -> Iterator[Any]:
        if node.type == "comparison":
            yield from (child for child in node.children[1::2] if child.get_code().strip() in self.SWAPPED)

    @classmethod
    def examples(cls) -> tuple[()]:
        """None: Cosmic Ray's own tests ask for them."""
        return ()


@dataclass(frozen=True, slots=True)
class Mutant:
    """One file with one change."""

    path: str
    line: int
    before: str
    after: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells the change apart while lines move."""
        return self.path, self.before, self.after

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before}  ->  {self.after}"


class InMemory(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from the mutant's source, and leaves all others to Python."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        self.module = mutant.path.removesuffix(".py").replace("/", ".")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The mutated module's spec; None for any other."""
        del path, target
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.module else None

    def get_source(self, fullname: str) -> str:
        """The mutated source."""
        del fullname
        return self.mutant.source

    def get_code(self, fullname: str) -> CodeType:
        """The mutated code, under the original's name so that tracebacks read well."""
        return compile(self.get_source(fullname), str(ROOT / self.mutant.path), "exec")


def operators() -> list[Operator]:
    """Comparisons for one another, membership for its opposite, numbers one up and one down.

    `==` for `is` is left out: it would only ask how Python keeps small numbers and strings.
    """
    kinds = [kind.__name__.split("_")[1:] for kind in comparisons()]
    identity = {"Is", "IsNot"}
    kept = [
        kind() for kind, (old, new) in zip(comparisons(), kinds, strict=True) if (old in identity) == (new in identity)
    ]
    return [*kept, Membership(), NumberReplacer()]


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of a file."""
    source = path.read_text(encoding="utf-8")
    nodes = list(ast_nodes(get_ast(source)))
    for operator in operators():
        positions = [position for node in nodes for position in operator.mutation_positions(node)]
        for occurrence in range(len(positions)):
            mutated = mutate_code(source, operator, occurrence)
            lines = zip(source.splitlines(), mutated.splitlines(), strict=True)
            line, (before, after) = next((n, pair) for n, pair in enumerate(lines, start=1) if pair[0] != pair[1])
            yield Mutant(path.relative_to(ROOT).as_posix(), line, before.strip(), after.strip(), mutated)


def survives(mutant: Mutant) -> tuple[Mutant, bool]:
    """Run the rules' tests on a mutant; True when all of them pass.

    Of a rule's own file only the tests that name the rule are run. Random tests are left out, to give the same answer
    each time and to waste none on shrinking.
    """
    own = ("-k", Path(mutant.path).stem) if Path(mutant.path).parent.name == "rules" else ()
    for name in [name for name in sys.modules if name.split(".")[0] in RELOADED or name.startswith("test_")]:
        del sys.modules[name]
    sys.meta_path.insert(0, InMemory(mutant))
    return mutant, run_tests(*own)


def run_tests(*arguments: str) -> bool:
    """Whether the tests pass; nothing is printed."""
    quick = ("-x", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:unraisableexception", f"--timeout={TIMEOUT_S}")
    with contextlib.ExitStack() as quiet:
        nowhere = quiet.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
        quiet.enter_context(contextlib.redirect_stdout(nowhere))
        quiet.enter_context(contextlib.redirect_stderr(nowhere))
        return pytest.main([*quick, "-m", "not hypothesis", *arguments, *SUITE]) in PASSED


def main(chosen: Sequence[str]) -> int:
    """Report the survivors; 1 when there are some that nothing excuses."""
    console = Console(soft_wrap=True)
    files = [ROOT / name for name in chosen] or sorted((ROOT / "rules").rglob("*.py"))
    todo = [mutant for path in files for mutant in mutants(path)]
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = scratch
        if not run_tests():
            console.print("The tests fail on the rules as they are: make `pytest tests/rules` pass first.")
            return 1
        with multiprocessing.get_context("fork").Pool(maxtasksperchild=1) as pool:
            runs = pool.imap_unordered(survives, todo, chunksize=1)
            each = track(range(len(todo)), "Mutating", console=console)
            done = [runs.next(timeout=10 * TIMEOUT_S) for _ in each]
    alive = sorted((mutant for mutant, survived in done if survived), key=str)
    keys = {mutant.key for mutant in alive}
    looked_at = {mutant.path for mutant in todo}
    stale = [key for key in EQUIVALENT if key[0] in looked_at and key not in keys]
    for mutant in alive:
        console.print(
            f"survived  {mutant}  ({EQUIVALENT.get(mutant.key, 'add a test that tells them apart')})", markup=False
        )
    for key in stale:
        console.print(f"stale     {' | '.join(key)}  (take it out of EQUIVALENT)", markup=False)
    unexcused = [mutant for mutant in alive if mutant.key not in EQUIVALENT]
    console.print(f"{len(todo)} mutants, {len(alive)} survived, {len(unexcused)} of them without a reason")
    return 1 if unexcused or stale else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Mutate the rules; some test must notice each change.")
    parser.add_argument("files", nargs="*", help="files below rules/; all of them when none is named")
    sys.exit(main(parser.parse_args().files))
