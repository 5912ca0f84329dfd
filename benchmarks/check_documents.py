"""Policy documents of a made-up fleet without a finding, as many as are asked for."""

from collections.abc import Iterator
from itertools import count, islice
from typing import Final

HEAD: Final = "apiVersion: gridwright.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n"
PROFILED: Final = 3
"""Models that each device has profiles of."""
DIGEST: Final = "sha256:" + 64 * "0"


def documents(number: int) -> list[str]:
    """So many documents: each site with pool, device, link, model and five services, and a few that stand once."""
    sites = (number - 4) // 10
    found = [*_once(sites)]
    found += islice((text for index in range(sites) for text in _of_site(index, sites)), number - len(found))
    services = (_service(f"more-{index}", index, sites) for index in count())
    return [*found, *islice(services, number - len(found))]


def files(texts: list[str], each: int) -> dict[str, str]:
    """The documents as texts by the names of files, so many in each file."""
    return {f"{at:05}.yaml": "---\n".join(texts[at : at + each]) for at in range(0, len(texts), each)}


def _once(sites: int) -> Iterator[str]:
    yield _document("CostPolicy", "cost", f"  ceilings: [{{below: $9000/h}}, {{below: $9/h, site: s{sites - 1}}}]\n")
    yield _document("ScalingPolicy", "pace", "  bounds: [{model: m0, min: 1, max: 50}]\n")
    yield _document(
        "ComplianceProfile",
        "cards",
        "  appliesTo: {data: {classes: [cardholder]}}\n"
        '  certifications: {allOf: [{standard: pci-dss, version: ">=4.0"}]}\n',
    )
    yield _document(
        "ComplianceProfile", "eu", "  appliesTo: {data: {subjects: [EU]}}\n  jurisdiction: {within: [EU]}\n"
    )


def _of_site(index: int, sites: int) -> Iterator[str]:
    name, other = f"s{index}", f"s{(index + 1) % sites}"
    yield _document("Site", name, "  jurisdictions: [FR, EU]\n")
    yield _document(
        "Pool", f"p{index}", f"  {{site: {name}, device: d{index}, nodes: 2, memory: 8GiB, price: $0.05/h}}\n"
    )
    yield _document("DeviceProfile", f"d{index}", _profiles(index, sites))
    yield _document(
        "Link",
        f"l{index}",
        f"  {{between: [{name}, {other}], rtt: 12ms, bandwidth: 1Gbit/s, encryption: mtls, transit: [FR, DE]}}\n",
    )
    yield _document(
        "Model",
        f"m{index}",
        f"  variants:\n    - {{name: fp32, digest: {DIGEST}, precision: fp32, memory: 128MiB, accuracy: 96%}}\n"
        f"    - {{name: fp16, digest: {DIGEST}, precision: fp16, memory: 96MiB, accuracy: 94%}}\n",
    )
    for number in range(5):
        yield _service(f"a{index}-{number}", index, sites)


def _profiles(index: int, sites: int) -> str:
    rows = (
        f"    - {{model: m{(index + step) % sites}, variant: fp32, share: 10%, load: 2s,"
        " serviceTime: [{batch: 1, time: 6ms}, {batch: 4, time: 15ms}]}\n"
        for step in range(min(PROFILED, sites))
    )
    return "  variants:\n" + "".join(rows)


def _service(name: str, index: int, sites: int) -> str:
    home, away = f"s{index % sites}", f"s{(index + 1) % sites}"
    return _document(
        "Service",
        name,
        "  data: {classes: [cardholder], subjects: [EU]}\n"
        f"  origins: [{{site: {home}, share: 60%}}, {{site: {away}, share: 40%}}]\n"
        f"  stages:\n    - {{name: find, model: m{index % sites}, input: 17KiB}}\n"
        f"    - {{name: read, model: m{(index + 1) % sites}, after: [find], fanout: 3}}\n"
        "  demand: {rate: 12 req/s}\n"
        "  objectives:\n    - latency: {percentile: 99, below: 300ms}\n",
    )


def _document(kind: str, name: str, spec: str) -> str:
    return HEAD.format(kind=kind, name=name) + spec
