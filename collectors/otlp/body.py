"""A request's body, bounded before and after it is inflated."""

import zlib
from collections.abc import AsyncIterator
from typing import Final

GZIP_WBITS: Final = 31  # zlib's code for a gzip header and trailer


class BodyTooLargeError(Exception):
    """The body is, or inflates to, more bytes than are taken."""


class BodyBrokenError(Exception):
    """The body is not the gzip stream that its header promised."""


async def read_bounded(chunks: AsyncIterator[bytes], into: bytearray, max_bytes: int) -> None:
    """Add the body to `into`, which tells what was read also when this raises.

    Raises:
        BodyTooLargeError: After reading no more than one chunk too many.
    """
    async for chunk in chunks:
        into += chunk
        if len(into) > max_bytes:
            raise BodyTooLargeError(f"the body has more than {max_bytes} bytes; send smaller batches")


def inflate(body: bytes, max_bytes: int) -> bytes:
    """The content of a gzip stream of one member; a thousand tiny members would cost the square of a thousand.

    Raises:
        BodyTooLargeError: Before more than `max_bytes` and one have been inflated.
        BodyBrokenError: For what is not gzip, ends early, or carries something else behind its end.
    """
    stream = zlib.decompressobj(GZIP_WBITS)
    try:
        content = stream.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise BodyBrokenError(f"the body is not gzip: {error}; check Content-Encoding") from error
    if len(content) > max_bytes:
        raise BodyTooLargeError(f"the body inflates to more than {max_bytes} bytes; send smaller batches")
    if not stream.eof or stream.unused_data:
        raise BodyBrokenError("the body is not one whole gzip stream; send it as one")
    return content
