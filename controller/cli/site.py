"""`gridwright site`: lets sites with agents in, shuts them out, and makes the keys that this takes."""

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.arguments import DEFAULT_JOURNAL, AsJson, JournalFile
from controller.cli.errors import CliError, Exit, in_two
from controller.cli.journals import OF_DOCUMENTS, kept_in
from controller.cli.terminal import console, print_table, write_json
from controller.journal.place import Place

Site = Annotated[str, typer.Argument(metavar="SITE", help="The site, as the policy names it.")]
Minutes = Annotated[int, typer.Option("--minutes", min=1, max=10_080, help="How long the token can be used.")]
KeyFolder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go; those that are there stay.")]
Hosts = Annotated[
    list[str], typer.Option("--host", metavar="NAME", help="What agents call the controller: a name or an IP address.")
]
NamedIn = Annotated[
    Path | None,
    typer.Option("--connections", metavar="FILE", help="The document whose `sites` must name the site as an agent's."),
]

app = typer.Typer(no_args_is_help=True, help="Let sites with agents in, shut them out, and see who has a certificate.")


@app.command("keys")
def keys(folder: KeyFolder, *, host: Hosts) -> int:
    """Make an authority for sites, the controller's certificate, and the key that signs plans.

    Name the files under `sites` in the connections document. Agents get `authority.pem`; no other file leaves.
    """
    from datetime import UTC, datetime

    from controller.sites.hub.authority import KeysError
    from controller.sites.hub.making_keys import make_keys

    try:
        for file in make_keys(folder, tuple(host), datetime.now(UTC)):
            print(file)
    except KeysError as error:
        raise in_two(error, ": ") from error
    return Exit.DONE


@app.command("certificate")
def certificate(folder: KeyFolder, *, host: Hosts) -> int:
    """Make the controller's certificate anew, by the authority in a folder that `keys` made; agents need nothing new.

    Start the controller anew with it.
    """
    from datetime import UTC, datetime

    from controller.sites.hub.authority import KeysError
    from controller.sites.hub.making_keys import renew_certificate

    try:
        for file in renew_certificate(folder, tuple(host), datetime.now(UTC)):
            print(file)
    except KeysError as error:
        raise in_two(error, ": ") from error
    return Exit.DONE


@app.command("token")
def token(
    site: Site, *, minutes: Minutes = 60, journal: JournalFile = DEFAULT_JOURNAL, connections: NamedIn = None
) -> int:
    """Print a token with which the agent of a site can register, once.

    Only its digest is kept, beside the journal. Each token is its own: one that was printed before still counts. A site
    that the connections, or the policy in force by the journal, do not have gets none.
    """
    from contextlib import closing
    from datetime import UTC, datetime, timedelta

    from controller.journal.errors import JournalError
    from controller.sites.hub.registry import SiteRegistry

    named_in = connections or (journal if journal.suffix in OF_DOCUMENTS else None)
    if named_in is not None:
        _check_named(site, named_in)
    try:
        with closing(SiteRegistry.open(kept_in(journal))) as registry:
            _check_in_force(site, registry.place)
            print(registry.new_token(site, datetime.now(UTC) + timedelta(minutes=minutes)))
    except JournalError as error:
        raise in_two(error, ": ") from error
    return Exit.DONE


def _check_named(site: str, connections: Path) -> None:
    """Raises CliError where a connections document does not name the site: the controller would refuse its token."""
    from controller.cli.live import connections_at

    named = connections_at(connections).sites
    if named is None or site not in named.agents:
        have = f"it has {', '.join(named.agents)}" if named else "it has no `sites`"
        raise CliError(
            f"{site} is not among `agents` under `sites` in {connections}; {have}",
            "name the site there, and start the controller anew before its agent",
        )


def _check_in_force(site: str, place: Place) -> None:
    """Raises CliError where the policy of the newest decision does not have the site. Raises JournalError."""
    from controller.loop.resuming import resumed
    from policy.source import load_documents

    policy = resumed(place, load_documents).in_force.policy
    known = [each.name for each in policy.sites] if policy else []
    if known and site not in known:
        raise CliError(
            f"the policy in force has no site {site}; it has {', '.join(known)}",
            "write its Site document first, or give the name that it has",
        )


@app.command("revoke")
def revoke(site: Site, *, journal: JournalFile = DEFAULT_JOURNAL) -> int:
    """Have no certificate and no token of a site count any more, from its next call on.

    It goes on by the plan that it has: end its agent, too. With another token it can register again.
    """
    from contextlib import closing

    from controller.journal.errors import JournalError
    from controller.sites.hub.registry import SiteRegistry

    try:
        with closing(SiteRegistry.open(kept_in(journal))) as registry:
            if not registry.revoke(site):
                raise CliError(f"{site} has neither a certificate nor a token", "`gridwright site list` tells who has")
    except JournalError as error:
        raise in_two(error, ": ") from error
    return Exit.DONE


@app.command("list")
def show(*, journal: JournalFile = DEFAULT_JOURNAL, as_json: AsJson = False) -> int:
    """The sites with a certificate, and until when it holds; agents renew theirs after two thirds of its life."""
    from contextlib import closing

    from controller.journal.errors import JournalError
    from controller.sites.hub.registry import SiteRegistry

    try:
        with closing(SiteRegistry.open(kept_in(journal))) as registry:
            found = registry.certified()
    except JournalError as error:
        raise in_two(error, ": ") from error
    if as_json:
        write_json({"sites": found})
        return Exit.DONE
    rows = [(each.site, each.ends.isoformat(timespec="seconds")) for each in found]
    print_table(console(), "Sites", ("site", "certificate ends"), rows)
    return Exit.DONE
