"""Every finding that a decision may make: its stable id and its title. docs/findings.md explains each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GW2001": "what arrives for a demand is stale or missing",
        "GW2010": "a service is degraded",
        "GW2011": "these clauses cannot all hold",
        "GW2012": "no plan that keeps every rule was found",
        "GW2013": "the cheapest plan has no safe order from here",
        "GW2014": "evidence behind the plan ends, or maintenance begins, within 30 days",
        "GW2015": "a demand's latency has been above its prediction",
        "GW2016": "a demand cannot be foreseen",
        "GW2017": "what forecasts go by is not kept",
        "GW2018": "a service gives way by its priority, or waits",
        "GW2019": "why a plan falls short is not a clash that is known",
        "GW2020": "a decision is not carried out: the policy changed meanwhile",
        "GW2021": "a decision is not carried out: the fleet changed meanwhile",
        "GW2100": "a server is told of a node that its pool does not have",
        "GW2101": "a node has no server",
        "GW2142": "what was attested of a node is of another machine",
        "GW2147": "a server takes a call and does not answer",
        "GW2148": "the clock was set back",
    }
)
