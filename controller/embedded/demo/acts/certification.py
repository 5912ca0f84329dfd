"""The certification of a site in use ends: what it protected leaves before, and nothing is served there after."""

import re
from datetime import datetime, timedelta
from pathlib import Path

from controller.embedded.demo.protected import protected_calls, protected_services
from controller.embedded.demo.stage import NothingServedError, Seen, Stage, pools_serving

NOTICE_S = 15
"""How long before the loop has to move its evidence is changed."""
AFTER_S = 8.0
RENEWED_WITHIN_S = 25
EXPIRES = re.compile(r"(expiresAt:\s*)(\S.*)")


async def play(stage: Stage) -> Seen:
    """Let the evidence of one site end soon, watch the move, count what is served there after the end, then renew."""
    service = protected_services(stage.policy)[0]
    site = _site_in_use(stage, service)
    pools = {pool.name for pool in stage.policy.pools if pool.site == site}
    file, text = _evidence(stage.folder, site)
    ends = stage.wall() + timedelta(seconds=stage.policy.scaling.evidence_lead_s + NOTICE_S)
    file.write_text(EXPIRES.sub(rf'\g<1>"{ends.isoformat(timespec="seconds")}"', text), encoding="utf-8")
    ends = ends.replace(microsecond=0)
    moved = await stage.until(lambda: not pools_serving(stage.wanted(), service) & pools, _left_s(stage, ends))
    moved_at = stage.wall()
    await stage.rest(max(0.0, _left_s(stage, ends)))
    at_end = protected_calls(stage.policy, stage.answered(), pools)
    await stage.rest(AFTER_S)
    after = protected_calls(stage.policy, stage.answered(), pools) - at_end
    traced = _traced_after(stage, pools, ends)
    failed = stage.failures(stage.at_s(moved_at), stage.now_s() - 2)
    file.write_text(text, encoding="utf-8")
    renewed = await stage.until(lambda: bool(pools_serving(stage.wanted(), service) & pools), RENEWED_WITHIN_S)
    early_s = (ends - moved_at).total_seconds()
    return Seen(
        f"{service} has left the site before its pci-dss ends, and not one of its calls is served there afterwards",
        f"{site}: moved away {early_s:.0f} s before the end; after it, {after} calls by the server's counters and "
        f"{traced} by its traces; {failed} calls not answered; "
        + ("used again after renewal" if renewed else "not needed again after renewal"),
        moved and early_s > 0 and after == 0 and traced == 0,
    )


def _site_in_use(stage: Stage, service: str) -> str:
    """A site that serves the service and is an origin, so that its loss is felt; else any in use."""
    used = {stage.policy.pool(pool).site for pool in pools_serving(stage.wanted(), service)}
    if not used:
        raise NothingServedError(f"{service} is served nowhere")
    origins = [origin.site for origin in stage.policy.service(service).origins if origin.site in used]
    return (origins or sorted(used))[0]


def _evidence(folder: Path, site: str) -> tuple[Path, str]:
    """The evidence file about a site that a compliance profile asks for."""
    for file in sorted((folder / "evidence").glob("*.y*ml")):
        text = file.read_text(encoding="utf-8")
        if re.search(rf"site:\s*{re.escape(site)}\b", text) and "pci-dss" in text:
            return file, text
    raise FileNotFoundError(f"no evidence file in {folder / 'evidence'} speaks of pci-dss at {site}: add one")


def _left_s(stage: Stage, ends: datetime) -> float:
    return (ends - stage.wall()).total_seconds()


def _traced_after(stage: Stage, pools: set[str], ends: datetime) -> int:
    """Variants of protected models whose newest traced request on these pools is later than the end."""
    snapshot = stage.status().snapshot
    models = {s.model for name in protected_services(stage.policy) for s in stage.policy.service(name).stages}
    return sum(
        1
        for work in (snapshot.work if snapshot else ())
        if work.pool in pools and work.model in models and work.times.at is not None and work.times.at > ends
    )
