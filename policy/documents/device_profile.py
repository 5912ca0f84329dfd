"""DeviceProfile: how variants behave on a device."""

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from policy.documents.base import DurationUs, Name, Positive, Share, Spec


class ServiceTimeSpec(Spec):
    """The time to serve one batch of this size, or until its first responses leave."""

    batch: Positive
    time: Annotated[DurationUs, Field(ge=1)]


def _rising(points: list[ServiceTimeSpec]) -> list[ServiceTimeSpec]:
    if points[0].batch != 1:
        raise ValueError("the first time is that of batch 1, which every server runs")
    for before, after in pairwise(points):
        if after.batch <= before.batch:
            raise ValueError(f"batch {after.batch} stands behind {before.batch}: list the batches by size, none twice")
        if after.time < before.time:
            raise ValueError(f"batch {after.batch} takes less time than {before.batch}, which is a part of it")
    return points


class VariantProfileSpec(Spec):
    """One variant: its service time by batch, the share of the device that an instance takes, and its load time.

    A decoupled model, which answers a request several times, has the time until its first response, too.
    """

    model: Name
    variant: Name
    service_time: Annotated[list[ServiceTimeSpec], Field(min_length=1), AfterValidator(_rising)]
    first_response: Annotated[list[ServiceTimeSpec], Field(min_length=1), AfterValidator(_rising)] | None = None
    share: Annotated[Share, Field(ge=1)]
    load: DurationUs


class DeviceProfileSpec(Spec):
    """The profiles of a device; the document's name is the device's."""

    variants: list[VariantProfileSpec] = Field(min_length=1)
