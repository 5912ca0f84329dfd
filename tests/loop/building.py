"""Small policies, snapshots and decisions for the tests of the loop and the journal."""

from dataclasses import replace
from datetime import UTC, datetime

from collectors.snapshot import (
    Latency,
    LoadedModel,
    ModelState,
    Offered,
    Quantiles,
    Rate,
    Reading,
    Server,
    ServerState,
    Snapshot,
)
from controller.actions import SetLoad, SetRoutes, Transition, Unload, Wave
from controller.decision import Decision, Forecast, Proof, Started, State, Verdict
from controller.fleet import Fleet, Load, RouteSet, Way
from policy.findings import Place
from policy.resolved import CostPolicy, Policy, ScalingPolicy
from rules.kernel.plan import Instances, Plan, Route
from rules.kernel.problem import Placement

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PLACE = Place("fleet.yaml", 1, 1)
DOCUMENTS = (("fleet.yaml", "kind: Site\n"), ("service.yaml", "kind: Service\n"))
DETECT = Placement("ppocr-det", "fp32", "edge-paris-cpu")
OLD_DETECT = Placement("ppocr-det", "fp32", "edge-lyon-cpu")


def policy(revision: str = "r1", documents: tuple[tuple[str, str], ...] = DOCUMENTS, interval_s: int = 5) -> Policy:
    return Policy(
        revision=revision,
        services=(),
        models=(),
        sites=(),
        pools=(),
        links=(),
        devices=(),
        compliance=(),
        cost=CostPolicy("cost", (), 0, PLACE),
        scaling=ScalingPolicy("scaling", interval_s, 200, 20, 500, 15, 20, (), PLACE),
        documents=documents,
    )


def snapshot(at: datetime = NOW) -> Snapshot:
    models = (LoadedModel("ppocr-det", "fp32", ModelState.READY, 1, 4, 0),)
    return Snapshot(
        at,
        servers=(Server("edge-paris-cpu", Reading(ServerState(models), at, "triton")),),
        offered=(Offered("receipt-ocr", "edge-paris", Reading(Rate(2_000, 20, 10.0), at, "envoy")),),
        latency=(Latency("receipt-ocr", "edge-paris", Reading(Quantiles(20, 90_000, 120_000, 150_000), at, "otlp")),),
    )


def keep(state: State, at: datetime = NOW) -> Decision:
    """A decision that leaves everything as it is."""
    after = replace(state, turn=state.turn + 1)
    return Decision(
        id=f"d{after.turn}",
        at=at,
        policy_revision="r1",
        verdict=Verdict.KEEP,
        proof=Proof.OPTIMAL,
        plan=state.plan,
        fleet=state.fleet,
        transition=Transition(),
        forecasts=state.forecasts,
        errors=(),
        reasons=(),
        findings=(),
        cost_millicents_per_hour=40_000,
        links_millicents_per_hour=0,
        valid_until=None,
        state=after,
    )


ROUTES = (RouteSet("receipt-ocr", "edge-paris", (Way(1000, (DETECT,)),)),)
MOVE = Transition(
    (
        Wave("grow", (SetLoad(Load(DETECT, 2, 4, 1_000)),)),
        Wave("route", (SetRoutes(ROUTES),)),
        Wave("shrink", (Unload(OLD_DETECT),)),
    ),
    2_000_000,
)


def move(state: State, at: datetime = NOW) -> Decision:
    """A decision that brings the detector to Paris and takes it away from Lyon."""
    plan = Plan((Instances(f"{DETECT} b4", "edge-paris-cpu-0", 2),), (Route("p1", 1000),))
    fleet = Fleet((Load(DETECT, 2, 4, 1_000),), ROUTES)
    forecasts = (Forecast("receipt-ocr", "edge-paris", 2_400, 100_000, 150_000, 200_000, 1000),)
    after = State(plan, fleet, (Started(DETECT, at),), forecasts=forecasts, turn=state.turn + 1)
    return replace(
        keep(state, at),
        verdict=Verdict.CHANGE,
        plan=plan,
        fleet=fleet,
        transition=MOVE,
        forecasts=forecasts,
        state=after,
    )
