"""Services for the gateway's tests."""

from policy.findings import Place
from policy.resolved import Orchestration, Origin, Service, Stage

PLACE = Place("services.yaml", 1, 1)


def stage(name: str, *after: str, fanout: int = 1) -> Stage:
    return Stage(name, f"model-{name}", after, fanout, 1000, PLACE)


def service(name: str, origins: tuple[str, ...], stages: tuple[Stage, ...]) -> Service:
    places = tuple(Origin(site, 1000 // len(origins), PLACE) for site in origins)
    return Service(
        name=name,
        labels=(),
        data_classes=(),
        data_subjects=(),
        orchestration=Orchestration.ORIGIN,
        origins=places,
        stages=stages,
        expected_rate_milli_rps=1000,
        latency=(),
        availability=None,
        accuracy=None,
        degrade=(),
        priority=1,
        place=PLACE,
    )


def ocr() -> Service:
    return service("ocr", ("paris", "lyon"), (stage("read", "detect", fanout=2), stage("detect")))


def vad(fanout: int = 1) -> Service:
    return service("vad", ("paris",), (stage("vad", fanout=fanout),))
