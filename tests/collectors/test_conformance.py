"""Cases that others wrote; `tests/cases/SOURCES.md` says whose."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from posts import NS

from collectors.exposition import samples
from collectors.fetch import SourceError
from collectors.otlp.decode_json import decode_json
from collectors.otlp.inbox import Batch, Inbox
from collectors.otlp.triton_spans import TritonSpans

CASES = Path(__file__).parents[1] / "cases"
EXPOSITION = CASES / "openmetrics"
OTLP = CASES / "otlp"


def open_metrics() -> list[Path]:
    return sorted(EXPOSITION.glob("*.txt"))


def test_every_case_of_openmetrics_is_read_or_refused_as_a_source() -> None:
    """OpenMetrics is stricter than the text format that is spoken here, so only the kind of refusal is held."""
    outcomes: Counter[bool] = Counter()
    for case in open_metrics():
        try:
            found = list(samples(case.read_bytes(), case.stem, prefix="", sign=""))
        except SourceError as error:
            assert error.hint  # noqa: PT017 - most cases do not raise
            outcomes[False] += 1
        else:
            assert all(sample.name for sample in found)
            outcomes[True] += 1
    assert outcomes[True] > 0
    assert outcomes[False] > 0


async def test_the_requests_of_real_posts_are_all_timed() -> None:
    posts = [post.read_bytes() for post in sorted(OTLP.glob("triton_real_*.json"))]
    spans = [span for post in posts for span in decode_json(post).spans]
    models = {span.id for span in spans if "triton.model_name" in span.attributes}
    computed = models & {span.parent for span in spans if "COMPUTE_START" in span.events_ns}
    assert len(computed) > 100

    inbox = Inbox()
    for post in posts:
        # The captures serve a model called echo; Gridwright's are named by variant.
        renamed = post.replace(b'"stringValue":"echo"', b'"stringValue":"echo--fp32"')
        inbox.offer(Batch("edge", decode_json(renamed).spans))
    now = datetime.fromtimestamp(max(span.end_ns for span in spans) // NS + 1, UTC)
    (work,) = (await TritonSpans(inbox).collect(now)).work
    assert work.times.value is not None
    assert work.times.value.compute.count == work.times.value.queue.count == len(computed)


def test_the_collectors_own_literals_of_traces_are_read() -> None:
    cases = json.loads((OTLP / "collector_json_literals.json").read_text())["cases"]
    traces = [case["text"] for case in cases if "resourceSpans" in case["text"]]
    assert traces
    for text in traces:
        assert decode_json(text.encode()).spans == ()  # none of them has a span with ids
