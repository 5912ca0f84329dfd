"""Tiny instances of the reference format, drawn by a seed, of which every plan can be tried.

Among them are models that no pool may hold, demands that nothing reaches in time, pools without nodes, twins,
free pools, demands that fill instances to the last request, and, one time in four, a plan that runs already.
"""

from typing import Any, Final

import numpy as np

TIERS: Final = (0.5, 0.85)
SCALES: Final = (0.5, 1.0, 2.0)
MEMORY_GB: Final = (2.0, 4.0, 6.0, 8.0)
BASE_MS: Final = (4.0, 5.0, 8.0, 10.0, 20.0)
"""With tiers and scales as above, rates come out as whole grains of the exact engine."""
PRICES: Final = (0.0, 0.25, 0.8, 1.0, 3.7)
PENALTIES: Final = (0.0, 0.05, 0.5, 2.0, 20.0, 150.0)
SLACK_MS: Final = (0.0, 8.0, 30.0, 90.0)


def place(seed: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """An instance, and the plan that runs, if there is one."""
    dice = np.random.default_rng(seed)
    sites, pools, models = (int(dice.integers(1, most + 1)) for most in (3, 3, 3))
    devices = [_device(dice, at) for at in range(2)]
    between = dice.integers(0, 60, (sites, sites))
    raw: dict[str, Any] = {
        "schema": "slo-place/1",
        "name": f"tiny-{seed}",
        "params": {"tiers_util": list(TIERS), "instance_cost": float(dice.choice([0.001, 0.1])), "churn_cost": 0.3},
        "sites": [{"id": at} for at in range(sites)],
        "rtt_ms": (1 + np.maximum(between, between.T)).tolist(),
        "devices": devices,
        "pools": [_pool(dice, at, sites, devices) for at in range(pools)],
        "models": [],
        "demands": [],
    }
    twins = dice.random() < 0.2  # noqa: PLR2004 - one in five
    for number in range(models):
        model = raw["models"][0] | {"id": number} if twins and number else _model(dice, number)
        raw["models"].append(model)
        for _ in range(int(dice.integers(0, 4 if models < 3 else 3))):  # noqa: PLR2004 - the more models, the less of each
            raw["demands"].append(_demand(dice, len(raw["demands"]), model, sites))
    runs = dice.random() < 0.25  # noqa: PLR2004 - one in four
    return raw, _running(dice, raw) if runs else None


def _device(dice: np.random.Generator, number: int) -> dict[str, Any]:
    return {
        "name": f"d{number}",
        "mem_gb": float(dice.choice([4.0, 8.0, 11.0])),
        "scale": float(dice.choice(SCALES)),
        "max_share": int(dice.integers(1, 4)),
    }


def _pool(dice: np.random.Generator, number: int, sites: int, devices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": number,
        "site": int(dice.integers(sites)),
        "device": devices[dice.integers(len(devices))]["name"],
        "count": int(dice.choice([0, 1, 1, 2])),
        "certs": int(dice.integers(4)),
        "price": float(dice.choice(PRICES)),
    }


def _model(dice: np.random.Generator, number: int) -> dict[str, Any]:
    base_ms = float(dice.choice(BASE_MS))
    return {
        "id": number,
        "mem_gb": float(dice.choice(MEMORY_GB)),
        "base_ms": base_ms,
        "certs": int(dice.choice([0, 0, 1, 2])),
        "slo_ms": float(3 * base_ms + dice.choice(SLACK_MS)),
    }


def _demand(dice: np.random.Generator, number: int, model: dict[str, Any], sites: int) -> dict[str, Any]:
    """Now and then exactly what so many instances of some pool answer."""
    exact = 1000 * float(dice.choice(TIERS)) / (model["base_ms"] * float(dice.choice(SCALES)))
    rate = float(dice.integers(1, 400)) if dice.random() < 0.7 else exact * int(dice.integers(1, 3))  # noqa: PLR2004
    return {
        "id": number,
        "model": model["id"],
        "origin": int(dice.integers(sites)),
        "rate": rate,
        "penalty": float(dice.choice(PENALTIES)),
    }


def _running(dice: np.random.Generator, raw: dict[str, Any]) -> dict[str, Any]:
    """Some instances on some nodes, whether they may stand there or not."""
    nodes = [
        [pool["id"], [[int(dice.integers(len(raw["models"]))), int(dice.integers(len(TIERS)))]]]
        for pool in raw["pools"]
        for _ in range(pool["count"])
        if dice.random() < 0.6  # noqa: PLR2004 - more nodes than not
    ]
    return {"schema": "slo-plan/1", "nodes": nodes, "routes": []}
