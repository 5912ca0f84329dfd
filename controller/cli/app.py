"""The application: its commands, and what becomes of an error."""

import sys
import tempfile
import traceback
from collections.abc import Sequence

import typer

from controller.cli import (
    INTERRUPTED,
    apply,
    bundle,
    check,
    diff,
    evidence,
    explain,
    export,
    fmt,
    install,
    journal,
    plan,
    profile,
    replay,
    run,
    schema,
    site,
    testing,
    up,
)
from controller.cli.errors import BrokenPolicyError, CliError, Exit
from controller.cli.findings import show
from controller.cli.terminal import complain, console, write_json

app = typer.Typer(
    name="gridwright",
    help="Keep what a policy promises of networks on Triton: check it, plan for it, act on it, and say why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("check")(check.check)
app.command("plan")(plan.plan)
app.command("apply")(apply.apply)
app.command("diff")(diff.diff)
app.command("run")(run.run)
app.command("install")(install.install)
app.command("up")(up.up)
app.command("explain")(explain.explain)
app.command("fmt")(fmt.fmt)
app.command("profile")(profile.profile)
app.command("replay")(replay.replay)
app.command("schema")(schema.schema)
app.command("test")(testing.run_tests)
app.add_typer(evidence.app, name="evidence")
app.add_typer(site.app, name="site")
app.add_typer(bundle.app, name="bundle")
app.add_typer(journal.app, name="journal")
app.add_typer(export.app, name="export")


def main(arguments: Sequence[str]) -> int:
    """Run one command line and return the exit status; an error is one message with its next step on stderr."""
    try:
        return app(list(arguments), prog_name="gridwright", standalone_mode=False) or 0
    except CliError as error:
        if isinstance(error, BrokenPolicyError):
            _tell(error)
        complain(error.message, error.hint)
        return Exit.BAD_INPUT
    except typer.TyperException as error:
        # An empty message comes with a help text that was printed already.
        if error.format_message():
            complain(error.format_message(), "`gridwright --help` lists the commands, `gridwright COMMAND --help` one")
        return Exit.BAD_INPUT
    except typer.Abort:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: people get a message and a file, never a traceback
        if _was_interrupted(error):
            return INTERRUPTED
        complain(f"unexpected {type(error).__name__}: {error}", f"please report it with {_kept(error)}")
        return Exit.BAD_INPUT


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind it: one within a compiled module's start comes out as an ImportError."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _tell(error: BrokenPolicyError) -> None:
    if error.as_json:
        write_json({"ok": False, "findings": error.findings})
    else:
        show(console(sys.stderr), error.findings)


def _kept(error: Exception) -> str:
    """Where the traceback was written to."""
    try:
        with tempfile.NamedTemporaryFile("w", prefix="gridwright-", suffix=".log", delete=False) as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return "what you did; there was no place to keep the details"
    return file.name
