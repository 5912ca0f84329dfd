"""Every finding that a collector may make: its id, its title, and the one place where it is worded."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from collectors.fetch import SourceError, Trouble
from collectors.snapshot import Latency
from policy.findings import Finding, Level

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GW0501": "a source does not answer",
        "GW0502": "a source does not answer in time",
        "GW0503": "a source answers with more than is read",
        "GW0504": "a source answers with an error status",
        "GW0505": "a source answers with something else than expected",
        "GW0511": "a server holds models that are named otherwise than <model>--<variant>",
        "GW0512": "a server's metrics of a variant are incomplete or not numbers",
        "GW0513": "a server batches a variant in a way that predictions do not know",
        "GW0521": "a gateway does not count a service's arrivals",
        "GW0531": "posted traces were refused",
        "GW0532": "spans came too late to be counted",
        "GW0533": "spans have times that cannot be",
        "GW0534": "spans of more series than are kept",
        "GW0535": "a service's runs ended in errors",
        "GW0536": "spans whose parent never came",
        "GW0537": "span ids were forgotten before their time",
    }
)
_TROUBLES: Final = {
    Trouble.AWAY: "GW0501",
    Trouble.SLOW: "GW0502",
    Trouble.LARGE: "GW0503",
    Trouble.REFUSED: "GW0504",
    Trouble.GARBLED: "GW0505",
}
_NAMED_AT_MOST: Final = 5


def source_trouble(error: SourceError, collector: str, subject: str) -> Finding:
    """A source that could not be read this time."""
    message = f"{collector}: {error.message}"
    return Finding(_TROUBLES[error.trouble], Level.WARNING, message, error.hint, subject=subject)


def server_subject(pool: str, node: str) -> str:
    """What a finding of a server is about."""
    return f"pool {pool}, node {node}" if node else f"pool {pool}"


def ignored_names(names: Sequence[str], server: str) -> Finding:
    """Models of a server that Gridwright did not put there, or that are named unclearly."""
    shown = ", ".join(name[:80] for name in sorted(names)[:_NAMED_AT_MOST])
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    message = f"ignored {len(names)} models whose names are not <model>--<variant>: {shown}{more}"
    hint = "rename them, or take them out of this server's repository"
    return Finding("GW0511", Level.WARNING, message, hint, subject=server)


def unpredicted_batching(models: Mapping[str, Sequence[str]], server: str) -> Finding:
    """Variants whose configuration queues or batches requests otherwise than predictions take for granted."""
    told = "; ".join(f"{name[:80]}: {', '.join(ways)}" for name, ways in sorted(models.items())[:_NAMED_AT_MOST])
    more = f" and {len(models) - _NAMED_AT_MOST} more" if len(models) > _NAMED_AT_MOST else ""
    message = f"latency is predicted without {told}{more}"
    hint = "take it out of the model's config.pbtxt, or watch the margin that GW2015 tells of"
    return Finding("GW0513", Level.WARNING, message, hint, subject=server)


def unusable_families(name: str, families: Sequence[str], server: str) -> Finding:
    """A variant whose counters tell nothing this time."""
    message = f"no usable value of {', '.join(families)} for {name[:80]}"
    hint = "use a Triton release that exposes them all, with --allow-metrics=true"
    return Finding("GW0512", Level.WARNING, message, hint, subject=server)


def uncounted_arrivals(services: Sequence[str], origin: str) -> Finding:
    """Services that should arrive at a gateway and of which it has no counter."""
    message = f"no counter of arrivals for {', '.join(sorted(services))}"
    hint = "check that the gateway's routes name these services and their first stages"
    return Finding("GW0521", Level.WARNING, message, hint, subject=f"origin {origin}")


def refused_posts(posts: int, octets: int, spans: int) -> Finding:
    """Posts, or spans of posts, that the receiver refused since it last told."""
    message = f"refused {posts} posts ({octets} bytes) and {spans} spans"
    hint = "see the answers that the senders got: each says what was wrong and what to send instead"
    return Finding("GW0531", Level.WARNING, message, hint, subject="otlp receiver")


def late_spans(spans: int, collector: str) -> Finding:
    """Spans that ended before the window began."""
    hint = "have the sender export more often, or compare the two clocks"
    return Finding("GW0532", Level.WARNING, f"{spans} spans came too late to be counted", hint, subject=collector)


def skewed_spans(spans: int, collector: str) -> Finding:
    """Spans that end before they start, or in the future."""
    message = f"{spans} times of spans lay in the future or before their start and were clipped"
    return Finding("GW0533", Level.WARNING, message, "synchronise the clocks of the senders", subject=collector)


def too_many_series(spans: int, most: int, collector: str) -> Finding:
    """Observations whose key would have been one too many."""
    message = f"{spans} spans belong to more than {most} series and were not counted"
    hint = "find the sender that makes up names, by the attributes of its spans"
    return Finding("GW0534", Level.WARNING, message, hint, subject=collector)


def failed_runs(latency: Latency) -> Finding:
    """Runs of a service that ended in an error."""
    runs = latency.errors + (latency.reading.value.count if latency.reading.value else 0)
    message = f"{latency.errors} of {runs} runs ended in an error"
    hint = "look at the traces with status ERROR, and at the routes of this demand"
    return Finding("GW0535", Level.WARNING, message, hint, subject=f"{latency.service} from {latency.origin}")


def orphaned_spans(spans: int, collector: str) -> Finding:
    """Computations whose request's span was never posted, or was refused."""
    message = f"{spans} computations were forgotten because the span of their request never came"
    hint = "see whether the server's posts were refused (GW0531); let nothing on the way drop single spans of a trace"
    return Finding("GW0536", Level.WARNING, message, hint, subject=collector)


def forgotten_ids(ids: int, most: int, collector: str) -> Finding:
    """Ids that went for want of room: a post that is sent again now would count twice."""
    message = f"{ids} span ids were forgotten early to keep {most}: spans that are sent again may be counted twice"
    return Finding("GW0537", Level.WARNING, message, "sample the traces: post fewer of them", subject=collector)
