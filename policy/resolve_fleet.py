"""Documents on models and on where they may stand, resolved."""

from policy.documents.device_profile import DeviceProfileSpec
from policy.documents.link import LinkSpec
from policy.documents.model import ModelSpec
from policy.documents.pool import PoolSpec
from policy.documents.site import SiteSpec
from policy.resolve_clauses import services
from policy.resolved import (
    DeviceProfile,
    Egress,
    Encryption,
    Link,
    Model,
    Pool,
    Purchase,
    Site,
    Variant,
    VariantProfile,
)
from policy.validate import Valid


def site(valid: Valid, spec: SiteSpec) -> Site:
    """The site of a document."""
    return Site(valid.name, tuple(spec.jurisdictions), valid.place())


def model(valid: Valid, spec: ModelSpec) -> Model:
    """The model of a document, with its variants."""
    return Model(
        valid.name,
        tuple(
            Variant(v.name, v.digest, v.precision, v.memory, v.accuracy, valid.place("variants", i))
            for i, v in enumerate(spec.variants)
        ),
        valid.place(),
    )


def pool(valid: Valid, spec: PoolSpec) -> Pool:
    """The pool of a document."""
    return Pool(
        name=valid.name,
        site=spec.site,
        device=spec.device,
        nodes=spec.nodes,
        memory_mib=spec.memory,
        share_permille=spec.share,
        price_millicents_per_hour=spec.price,
        purchase=Purchase(spec.purchase),
        place=valid.place(),
        dedicated_to=services(spec.dedicated_to) if spec.dedicated_to else None,
        racks=tuple(spec.racks),
    )


def link(valid: Valid, spec: LinkSpec) -> Link:
    """The link of a document."""
    a, b = spec.between
    return Link(
        a,
        b,
        spec.rtt,
        spec.jitter,
        spec.bandwidth,
        Encryption(spec.encryption),
        tuple(spec.transit),
        valid.place(),
        valid.name,
        tuple(
            Egress(site, price, valid.source.key_place("spec", "egress", site)) for site, price in spec.egress.items()
        ),
        tuple(spec.admits.compression),
        tuple(spec.admits.precision),
    )


def device(valid: Valid, spec: DeviceProfileSpec) -> DeviceProfile:
    """The profiles of a device."""
    profiles = (
        VariantProfile(
            model=item.model,
            variant=item.variant,
            service_us=tuple(sorted((point.batch, point.time) for point in item.service_time)),
            share_permille=item.share,
            load_us=item.load,
            place=valid.place("variants", index),
            first_us=tuple((point.batch, point.time) for point in item.first_response or ()),
        )
        for index, item in enumerate(spec.variants)
    )
    return DeviceProfile(valid.name, tuple(profiles), valid.place())
