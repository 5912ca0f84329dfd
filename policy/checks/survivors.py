"""Stages of services that survive any site with one site to run at; judged when every document could be read."""

from collections.abc import Iterator

from policy.catalogue import warning
from policy.data_flow import handled
from policy.findings import Finding
from policy.resolved import Policy, Service, Stage


def too_few_sites(policy: Policy) -> Iterator[Finding]:
    """A warning for each such stage: when its site is lost, nothing may take over."""
    for service in policy.services:
        for stage in service.stages if service.availability and service.survives_any_site else ():
            where = _kept_to(policy, service, stage)
            if where and service.availability:
                message = f"`{service.name}` survives any site, and its stage `{stage.name}` runs {where}"
                hint = "let the stage run at another site, too, or take `survives: any-site` out"
                yield warning("GW0467", service.availability.place, message, hint)


def _kept_to(policy: Policy, service: Service, stage: Stage) -> str:
    """The one place where documents let a stage run; nothing where there are several, or where none is."""
    for profile in policy.compliance:
        if profile.locality and stage in profile.covered(service, handled(service)):
            return f"nowhere but where its requests come from, says {profile.name}"
    able = {device.device for device in policy.devices if any(each.model == stage.model for each in device.variants)}
    sites = {
        pool.site
        for pool in policy.pools
        if pool.device in able
        and (pool.dedicated_to is None or pool.dedicated_to.means(service))
        and all(clause.admits(pool) for clause in service.pools if stage.name in (clause.stages or [stage.name]))
    }
    return f"at {sites.pop()} alone" if len(sites) == 1 else ""
