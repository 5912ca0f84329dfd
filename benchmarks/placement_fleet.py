"""Generated fleets of any size in the reference format for placement (`slo-place/1`).

Sites lie on a plane and light takes its time between them; pools of five kinds of device, some on spot prices, some
certified; six nodes a model and five origins a model, most of them near each other. What counts is that memory,
slots, certifications and the network all bind somewhere.
"""

from typing import Any, Final

import numpy as np

DEVICES: Final = (
    {"name": "T4", "mem_gb": 16, "scale": 1.0, "max_share": 4},
    {"name": "L4", "mem_gb": 24, "scale": 0.6, "max_share": 4},
    {"name": "A10", "mem_gb": 24, "scale": 0.45, "max_share": 4},
    {"name": "A100", "mem_gb": 80, "scale": 0.2, "max_share": 4},
    {"name": "ORIN", "mem_gb": 32, "scale": 1.3, "max_share": 4},
)
PRICES: Final = {"T4": 0.5, "L4": 0.8, "A10": 1.0, "A100": 3.7, "ORIN": 0.25}
SPOT_PART: Final = 0.45
"""A spot node's price over the ordinary one."""
MEMORY_GB: Final = (1.0, 2.0, 4.0, 8.0, 14.0)
CERTIFIED: Final = 0.6
"""How likely a pool has each certification."""
PROTECTED: Final = 0.4
"""How likely a model wants one."""
PLANE_MS: Final = 45.0
NODES_A_POOL: Final = 12
POOLS_A_SITE: Final = 2
NODES_A_MODEL: Final = 6
ORIGINS: Final = 5


def fleet(nodes: int, seed: int) -> dict[str, Any]:
    """An instance with about so many nodes."""
    dice = np.random.default_rng(seed)
    sites = max(2, round(nodes / (NODES_A_POOL * POOLS_A_SITE)))
    where = dice.uniform(0, PLANE_MS, (sites, 2))
    rtt_ms = 1 + np.linalg.norm(where[:, None] - where[None], axis=2)
    models = [_model(dice, at) for at in range(max(3, nodes // NODES_A_MODEL))]
    return {
        "schema": "slo-place/1",
        "name": f"generated-{nodes}-{seed}",
        "params": {"tiers_util": [0.5, 0.7, 0.85], "instance_cost": 0.001, "churn_cost": 0.1},
        "sites": [{"id": at} for at in range(sites)],
        "rtt_ms": np.round(rtt_ms, 3).tolist(),
        "devices": list(DEVICES),
        "pools": [_pool(dice, at) for at in range(POOLS_A_SITE * sites)],
        "models": models,
        "demands": [item for model in models for item in _demands(dice, model, rtt_ms)],
    }


def _pool(dice: np.random.Generator, number: int) -> dict[str, Any]:
    device = DEVICES[dice.integers(len(DEVICES))]["name"]
    spot = dice.random() < 1 / 3
    return {
        "id": number,
        "site": number // POOLS_A_SITE,
        "device": device,
        "count": int(dice.integers(NODES_A_POOL // 2, 3 * NODES_A_POOL // 2 + 1)),
        "certs": int(sum(1 << bit for bit in range(4) if dice.random() < CERTIFIED)),
        "price": round(PRICES[str(device)] * (SPOT_PART if spot else 1.0), 3),
        "market": "spot" if spot else "on_demand",
    }


def _model(dice: np.random.Generator, number: int) -> dict[str, Any]:
    memory = float(dice.choice(MEMORY_GB))
    return {
        "id": number,
        "mem_gb": memory,
        "base_ms": round(float(3 * memory**0.75 * dice.lognormal(0, 0.3)), 4),
        "certs": int(1 << dice.integers(4)) if dice.random() < PROTECTED else 0,
        "slo_ms": round(float(30 + 8 * memory + dice.exponential(90)), 4),
    }


def _demands(dice: np.random.Generator, model: dict[str, Any], rtt_ms: np.ndarray) -> list[dict[str, Any]]:
    centre = int(dice.integers(rtt_ms.shape[0]))
    origins = np.argsort(rtt_ms[centre] + dice.exponential(12, rtt_ms.shape[0]))[:ORIGINS]
    rates = 500 / model["base_ms"] * dice.lognormal(-1.5, 0.7, origins.size)
    return [
        {
            "id": origins.size * model["id"] + at,
            "model": model["id"],
            "origin": int(origin),
            "rate": round(float(rate), 4),
            "penalty": float(dice.choice([20.0, 50.0, 150.0])),
        }
        for at, (origin, rate) in enumerate(zip(origins, rates, strict=True))
    ]
