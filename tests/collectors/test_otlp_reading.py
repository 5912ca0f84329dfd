import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from posts import NS, run_span

from collectors.otlp.client_spans import ClientSpans
from collectors.otlp.inbox import Batch, Inbox
from collectors.otlp.reading import keep_reading


async def test_an_inbox_is_emptied_again_and_again_without_a_collection(start: datetime) -> None:
    inbox = Inbox(capacity_spans=1)
    reader = ClientSpans(inbox)
    start_ns = int(start.timestamp()) * NS
    reading = asyncio.create_task(keep_reading([reader], lambda: start, timedelta(milliseconds=1)))
    for number in range(1, 4):
        span = run_span(number, "ocr", "paris", start_ns - NS, start_ns)
        async with asyncio.timeout(5):
            while not inbox.offer(Batch("", (span,))):  # noqa: ASYNC110 - an inbox wakes nobody
                await asyncio.sleep(0.001)
    (latency,) = (await reader.collect(start)).latency
    assert latency.reading.value is not None
    assert latency.reading.value.count == 3
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
