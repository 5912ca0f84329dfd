"""Where the services of tiny problems may run: pools, what can stand in them, and the policy that names all that."""

import itertools
from typing import Final

from dice import Dice
from small_profiles import profile
from small_services import HERE, MODELS, SITES

from policy.clauses import Scope
from policy.resolved import (
    Ceiling,
    CostPolicy,
    DeviceProfile,
    Encryption,
    Link,
    Maintenance,
    Policy,
    Pool,
    Purchase,
    ReplicaBound,
    ScalingPolicy,
    Service,
    Site,
    VariantProfile,
)
from policy.windows import Window
from rules.kernel.problem import WHOLE_PERMILLE, Option, Placement

NOW_S: Final = 1000
LEAD_S: Final = 20
"""Longer than any way to a plan takes."""
JURISDICTIONS: Final = (("FR", "EU"), ("FR",), ("US",), ("EU",))
ACCURACY_PPM: Final = {"fp32": 950_000, "int8": 900_000}
MOST_OPTIONS: Final = 6
DEVICE: Final = DeviceProfile(
    "gpu",
    tuple(
        VariantProfile(model, variant, ((1, 1_000), (4, 2_500)), 100, 1_000, HERE)
        for model in MODELS
        for variant in ACCURACY_PPM
    ),
    HERE,
)
"""By it a path is priced that only a way between two plans takes."""
DEDICATED: Final = (Scope(classes=("card",)), Scope(services=("svc0",)), Scope(services=("svc1",)), Scope())


def drawn_pools(dice: Dice) -> tuple[Pool, ...]:
    """One or two of one or two nodes, or three of one."""
    many = dice.within(1, 3)
    return tuple(
        Pool(
            name=f"pool-{number}",
            site=dice.one(SITES),
            device="gpu",
            nodes=1 if many == len(SITES) else dice.within(1, 2),
            memory_mib=dice.one((500, 800, 1000)),
            share_permille=dice.one((500, 800, 1000)),
            price_millicents_per_hour=dice.one((0, 17, 40, 41, 90)),
            purchase=dice.one((Purchase.OWNED, Purchase.OWNED, Purchase.ON_DEMAND, Purchase.SPOT)),
            place=HERE,
            dedicated_to=dice.one(DEDICATED) if dice.says(0.15) else None,
        )
        for number in range(many)
    )


def drawn_options(dice: Dice, pools: tuple[Pool, ...]) -> tuple[Option, ...]:
    """Memory and share are a matter of the placement; what batches is faster, and now and then too slow for that."""
    drawn = []
    for pool, model, variant in itertools.product(pools, MODELS, ACCURACY_PPM):
        memory_mib, share_permille = dice.one((200, 250, 400)), dice.one((200, 250, 400))
        for batch in (1, 4):
            option = Option(
                id=f"{model}/{variant}@{pool.name} b{batch}",
                placement=Placement(model, variant, pool.name),
                max_batch=batch,
                queue_delay_us=0,
                load_permille=700,
                capacity_milli_rps=dice.one((1000, 1300, 2000, 2500)) * (1 if batch == 1 else dice.within(1, 2)),
                memory_mib=memory_mib,
                share_permille=share_permille,
                accuracy_ppm=ACCURACY_PPM[variant],
                load_us=1000,
            )
            if dice.says(0.7 if (variant, batch) == ("fp32", 1) else 0.35):
                drawn.append(option)
    return tuple(dice.some(drawn, MOST_OPTIONS))


def drawn_policy(dice: Dice, pools: tuple[Pool, ...], services: tuple[Service, ...]) -> Policy:
    """Sites with links, ceilings and bounds near what is needed, and one profile."""
    sites = tuple(Site(name, dice.one(JURISDICTIONS), HERE) for name in SITES)
    links = tuple(
        Link(
            *(one, other),
            *(8000, 0, 100_000_000),
            dice.one(tuple(Encryption)),
            dice.one(((), (), ("EU",), ("US",))),
            HERE,
        )
        for one, other in itertools.combinations(SITES, 2)
        if dice.says(0.85)
    )
    prices = sorted({pool.price_millicents_per_hour * dice.within(1, 3) for pool in pools})
    ceilings = tuple(Ceiling(dice.one(("", "", *SITES)), price, HERE) for price in prices if dice.says(0.3))
    bounds = tuple(
        ReplicaBound(model, dice.one(("", *SITES)), dice.one((0, 0, 1, 2)), dice.within(2, 3), HERE)
        for model in MODELS
        if dice.says(0.25)
    )
    cost = CostPolicy("cost", ceilings, dice.one((0, 3, 30)), HERE)
    scaling = ScalingPolicy("scaling", 5, 0, 0, WHOLE_PERMILLE, 15, LEAD_S, bounds, HERE)
    works = (_maintenance(dice),) if dice.says(0.2) else ()
    asked = (profile(dice),)
    return Policy("generated", services, (), sites, pools, links, (DEVICE,), asked, cost, scaling, maintenance=works)


def _maintenance(dice: Dice) -> Maintenance:
    """At one site and on one pool, beside the span that is looked at or in it by a second; now and then once more."""
    lasts_s = dice.within(1, 3)
    from_s = dice.one((NOW_S - lasts_s, NOW_S - lasts_s + 1, NOW_S + LEAD_S - 1, NOW_S + LEAD_S))
    every_s = dice.one((0, 0, LEAD_S, LEAD_S + lasts_s, LEAD_S + 10))
    earlier = every_s * dice.within(0, 3)
    window = Window(from_s - earlier, from_s - earlier + lasts_s, every_s)
    return Maintenance("work", (dice.one(SITES),), (dice.one(("pool-0", "pool-1")),), window, HERE)
