"""Where models may stand in a generated fleet: jurisdictions on a plane, pools, devices and links."""

from datetime import UTC, datetime
from typing import Final

import numpy as np

from policy.findings import Place
from policy.resolved import (
    DeviceProfile,
    Egress,
    Encryption,
    Link,
    Model,
    Pool,
    Purchase,
    Variant,
    VariantProfile,
)

NOW: Final = datetime(2026, 5, 4, 12, tzinfo=UTC)
HERE: Final = Place("fleet.yaml", 1, 1)
DEVICES: Final = {
    "t4": (16_384, 1.0, 50_000),
    "l4": (24_576, 0.6, 80_000),
    "a10": (24_576, 0.45, 100_000),
    "a100": (81_920, 0.2, 370_000),
    "orin": (32_768, 1.3, 25_000),
}
"""Memory in MiB, time relative to a T4, and price in millicents an hour."""
SHARE_PERMILLE: Final = 250
MEMORY_MIB: Final = (1_000, 2_000, 4_000, 8_000, 12_000)
PLANE_US: Final = 45_000
RACKS: Final = ("row-a", "row-b", "row-c")
"""Of every site."""
NODES_A_POOL: Final = 12
POOLS_A_SITE: Final = 2
LINKS: Final = 9
"""Of a site, to its nearest; on small fleets so many less that some sites are not joined."""
EGRESS: Final = 2_000
"""Millicents a GiB that leaves every other site."""
Dice = np.random.Generator


def jurisdictions_at(point: np.ndarray) -> tuple[str, ...]:
    """Those that a point of the plane lies in: one of four quarters, and two halves."""
    east, south = bool(point[0] > PLANE_US / 2), bool(point[1] > PLANE_US / 2)
    return "ABCD"[2 * south + east], "S" if south else "N", "E" if east else "W"


def drawn_model(dice: Dice, number: int) -> Model:
    """A model of one variant or two, of which one is lighter."""
    memory = int(dice.choice(MEMORY_MIB))
    full = Variant("fp16", f"sha256:{number}", "fp16", memory, 950_000, HERE)
    light = Variant("int8", f"sha256:{number}-8", "int8", memory // 2, int(dice.integers(860_000, 940_000)), HERE)
    return Model(f"m{number}", (full, light) if dice.random() < 0.4 else (full,), HERE)  # noqa: PLR2004


def drawn_pool(dice: Dice, number: int) -> Pool:
    """A pool of any kind of device, a third of them spot."""
    device = list(DEVICES)[dice.integers(len(DEVICES))]
    memory, _, price = DEVICES[device]
    spot = dice.random() < 1 / 3
    count = int(dice.integers(NODES_A_POOL // 2, 3 * NODES_A_POOL // 2 + 1))
    name, site = f"p{number}", f"s{number // POOLS_A_SITE}"
    purchase, price = (Purchase.SPOT, price * 45 // 100) if spot else (Purchase.ON_DEMAND, price)
    return Pool(name, site, device, count, memory, 1000, price, purchase, HERE, racks=RACKS)


def drawn_device(dice: Dice, name: str, models: list[Model], base_us: dict[str, int]) -> DeviceProfile:
    """How fast a device runs most of the models; a T4 runs all of them."""
    _, scale, _ = DEVICES[name]
    profiles = []
    for model in models:
        if name == "t4" or dice.random() < 0.7:  # noqa: PLR2004
            for variant in model.variants:
                one_us = round(base_us[model.name] * scale * (0.6 if variant.name == "int8" else 1.0))
                times = ((1, one_us), (2, one_us * 3 // 2), (4, one_us * 12 // 5))
                profiles.append(VariantProfile(model.name, variant.name, times, SHARE_PERMILLE, 2_000_000, HERE))
    return DeviceProfile(name, tuple(profiles), HERE)


def drawn_links(dice: Dice, where: np.ndarray) -> list[Link]:
    """Links of each site with its nearest ones."""
    found: dict[tuple[int, int], Link] = {}
    for one, point in enumerate(where):
        away_us = np.linalg.norm(where - point, axis=1)
        for other in np.argsort(away_us)[1 : 1 + min(LINKS, len(where) // 2)].tolist():
            low, high = min(one, other), max(one, other)
            rtt_us = round(1000 + away_us[other])
            transit = tuple(dict.fromkeys((jurisdictions_at(where[low])[0], jurisdictions_at(where[high])[0])))
            encryption = Encryption(str(dice.choice(["mtls", "tls", "none"], p=[0.8, 0.15, 0.05])))
            link = Link(
                *(f"s{low}", f"s{high}", rtt_us, rtt_us // 10, 10_000_000, encryption, transit, HERE),
                name=f"s{low}-s{high}",
                egress=(Egress(f"s{low}", EGRESS, HERE),) if low % 2 else (),
                compressions=("gzip",),
                precisions=("fp16",),
            )
            found.setdefault((low, high), link)
    return list(found.values())
