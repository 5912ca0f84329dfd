"""What clients send: a photographed page, drawn receipts, read speech. `data/SOURCES.md` names origins and licences."""

import random
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from controller.embedded.models.catalogue import AUDIO_SAMPLES, IMAGE_SHAPE

DATA = Path(__file__).parent / "data"
WHITE = 255
INK = (25, 25, 30)
PAPER = (250, 249, 244)
RECEIPT_LINES = 4
FONT_SIZE_PX = 24
GOODS = ("BREAD", "MILK", "COFFEE", "APPLES", "RICE", "SOAP", "PAPER", "CHEESE")
AUDIO_CONTEXT = 64
AUDIO_HOP = AUDIO_SAMPLES - AUDIO_CONTEXT

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Picture:
    """An image [192, 320, 3] and the lines that are known to stand on it; none known for the page."""

    name: str
    pixels: Pixels
    lines: tuple[str, ...] = ()


def pictures(seed: int, receipts: int = 6) -> tuple[Picture, ...]:
    """The two halves of the page and some receipts; the same seed draws the same receipts."""
    numbers = random.Random(seed)  # noqa: S311 -- test data
    return (*page_halves(), *(receipt(numbers, index) for index in range(receipts)))


def page_halves() -> tuple[Picture, Picture]:
    """The photographed page, left and right, overlapping, unscaled, padded by a line of white."""
    page = np.asarray(Image.open(DATA / "page.png").convert("RGB"))
    height, width, _ = IMAGE_SHAPE
    halves = []
    for name, left in (("page-left", 0), ("page-right", page.shape[1] - width)):
        pixels = np.full(IMAGE_SHAPE, WHITE, dtype=np.uint8)
        pixels[: min(height, page.shape[0])] = page[:height, left : left + width]
        halves.append(Picture(name, pixels))
    return halves[0], halves[1]


def receipt(numbers: random.Random, index: int) -> Picture:
    """A receipt of four lines with goods and prices; every third lies on its head."""
    goods = [*numbers.sample(GOODS, RECEIPT_LINES - 1), "TOTAL"]
    lines = tuple(f"{name} {numbers.randrange(1, 30)}.{numbers.randrange(100):02d}" for name in goods)
    height, width, _ = IMAGE_SHAPE
    image = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(FONT_SIZE_PX)
    for row, line in enumerate(lines):
        draw.text((14, 10 + row * (height - 16) // RECEIPT_LINES), line, font=font, fill=INK)
    turned = image.rotate(180) if index % 3 == 2 else image  # noqa: PLR2004 -- every third
    return Picture(f"receipt-{index}", np.asarray(turned), lines)


def crop(
    pixels: Pixels, box: tuple[int, int, int, int], shape: tuple[int, int, int], *, turned: bool = False
) -> Pixels:
    """The part of an image inside (top, left, bottom, right), scaled to the height of `shape`.

    What is wider than `shape` is cut off at the right, what is narrower is padded with black, as the networks were
    trained. `turned` sets it upright when it stands on its head.
    """
    top, left, bottom, right = box
    height, width, _ = shape
    part = pixels[top:bottom, left:right]
    if turned:
        part = part[::-1, ::-1]
    part = part[:, : max(1, part.shape[0] * width // height)]
    scaled_width = min(width, max(1, round(part.shape[1] * height / part.shape[0])))
    scaled = Image.fromarray(part).resize((scaled_width, height), Image.Resampling.BILINEAR)
    padded = np.zeros(shape, dtype=np.uint8)
    padded[:, :scaled_width] = np.asarray(scaled)
    return padded


def speech() -> tuple[NDArray[np.int16], ...]:
    """The recording in chunks of 512 ms, each with the 64 samples before it; the last one padded with silence."""
    with wave.open(str(DATA / "speech.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
    tail = -len(samples) % AUDIO_HOP
    padded = np.concatenate([np.zeros(AUDIO_CONTEXT, np.int16), samples, np.zeros(tail, np.int16)])
    return tuple(padded[start : start + AUDIO_SAMPLES] for start in range(0, len(padded) - AUDIO_CONTEXT, AUDIO_HOP))
