"""Real networks behind a real Triton give real answers, and change shape without losing a request."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from controller.embedded.media import crop, pictures, speech
from controller.embedded.models.catalogue import ORIENT_SHAPE, READ_SHAPE
from controller.embedded.models.repository import ServedVariant, build_repository
from tests.embedded.parts import NAMES, PACE_US, Sites, crops, infer, load, request, server_url, statistics, unload

pytestmark = pytest.mark.triton
CLASSIFIER = "ppocr-cls--fp32"


@pytest.fixture(scope="module", autouse=True)
def loaded(sites: Sites) -> Iterator[None]:
    for name in NAMES:
        load(sites.north, name)
    yield
    for name in NAMES:
        unload(sites.north, name)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_receipt_is_found_set_upright_and_read(sites: Sites, precision: str) -> None:
    for picture in pictures(3)[2:]:
        flat = infer(sites.north, f"ppocr-det--{precision}", {"image": picture.pixels})["boxes"]
        boxes = [box for box in np.reshape(flat, (-1, 4)).tolist() if any(box)]
        assert len(boxes) == len(picture.lines)
        texts = []
        for box in boxes:
            upside_down = infer(
                sites.north, f"ppocr-cls--{precision}", {"crop": crop(picture.pixels, box, ORIENT_SHAPE)}
            )["turned"][0]
            part = crop(picture.pixels, box, READ_SHAPE, turned=upside_down > 0.9)
            texts.append(infer(sites.north, f"ppocr-rec--{precision}", {"crop": part})["text"][0])
        names = {line.split()[0] for line in picture.lines}
        assert sum(any(name in text for text in texts) for name in names) >= len(names) - 1, (texts, picture.lines)


def test_the_photographed_page_is_read(sites: Sites) -> None:
    page = pictures(1)[0].pixels
    box = infer(sites.north, "ppocr-det--fp32", {"image": page})["boxes"][:4]
    part = crop(page, (box[0], box[1], box[2], box[3]), READ_SHAPE)
    assert infer(sites.north, "ppocr-rec--fp32", {"crop": part})["text"][0].startswith("Region")


def test_speech_is_heard_and_silence_is_not_and_both_precisions_agree(sites: Sites) -> None:
    state = np.zeros((2, 128), dtype=np.float32)
    heard = [
        infer(sites.north, f"silero-vad--{precision}", {"audio": speech()[1], "state": state})["speech"]
        for precision in ("fp32", "fp16")
    ]
    silence = infer(sites.north, "silero-vad--fp32", {"audio": np.zeros_like(speech()[1]), "state": state})["speech"]
    assert min(heard[0]) > 0.5
    assert max(silence) < 0.5
    assert np.allclose(heard[0], heard[1], atol=0.05)
    assert heard[0] != heard[1]


def test_the_state_of_one_chunk_leads_into_the_next(sites: Sites) -> None:
    first, second = speech()[:2]
    silent = np.zeros((2, 128), dtype=np.float32)
    after = infer(sites.north, "silero-vad--fp32", {"audio": first, "state": silent})["state"]
    carried = np.array(after, dtype=np.float32).reshape(2, 128)
    answers = [
        infer(sites.north, "silero-vad--fp32", {"audio": second, "state": state})["speech"]
        for state in (silent, carried)
    ]
    assert answers[0] != answers[1]


@contextmanager
def asking(url: str, name: str, clients: int = 6) -> Iterator[list[int]]:
    """Ask one model all the time; the list of statuses is complete after the block."""
    statuses: list[int] = []
    stop = threading.Event()
    body, headers = request(name, crops())

    def ask() -> None:
        with httpx.Client(timeout=30) as client:
            while not stop.is_set():
                statuses.append(client.post(f"{url}/v2/models/{name}/infer", content=body, headers=headers).status_code)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    yield statuses
    stop.set()
    for thread in threads:
        thread.join()


def test_more_instances_and_fewer_come_while_every_request_is_served(sites: Sites) -> None:
    with asking(server_url(sites.north), CLASSIFIER) as statuses:
        for count in (3, 1):
            load(sites.north, CLASSIFIER, {"instance_group": [{"kind": "KIND_CPU", "count": count}]})
            config = httpx.get(f"{server_url(sites.north)}/v2/models/{CLASSIFIER}/config").json()
            assert config["instance_group"][0]["count"] == count
    assert len(statuses) > 10
    assert set(statuses) == {200}


def test_batching_changes_while_every_request_is_served(sites: Sites) -> None:
    changes = {"max_batch_size": 8, "dynamic_batching": {"max_queue_delay_microseconds": 20_000}}
    with asking(server_url(sites.north), CLASSIFIER) as statuses:
        load(sites.north, CLASSIFIER, changes)
        loaded_at = len(statuses)
        while len(statuses) < loaded_at + 30:
            threading.Event().wait(0.05)
    assert set(statuses) == {200}
    batches = {item["batch_size"] for item in statistics(sites.north, CLASSIFIER)["batch_stats"]}
    assert max(batches) > 1


def test_a_paced_batch_takes_at_least_its_device_time(sites: Sites, repository: Path) -> None:
    paced = ServedVariant("ppocr-cls", "fp32", pace_us=((1, PACE_US), (2, 2 * PACE_US)), max_batch=2)
    unload(sites.north, CLASSIFIER)
    original = (repository / CLASSIFIER / "config.pbtxt").read_text()
    build_repository(repository, repository.parent / "networks", [paced])
    try:
        load(sites.north, CLASSIFIER)
        before = _inferred_ns(sites)
        for _ in range(3):
            infer(sites.north, CLASSIFIER, crops())
        assert _inferred_ns(sites) - before >= 3 * PACE_US * 1000
    finally:
        (repository / CLASSIFIER / "config.pbtxt").write_text(original)
        unload(sites.north, CLASSIFIER)
        load(sites.north, CLASSIFIER)


def _inferred_ns(sites: Sites) -> int:
    return int(statistics(sites.north, CLASSIFIER)["inference_stats"]["compute_infer"]["ns"])
