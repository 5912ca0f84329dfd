"""`google.rpc.Status` and `RetryInfo`, what a refusal says: built here, their package brings hundreds of messages."""

from datetime import timedelta
from enum import IntEnum
from typing import Any, Final

import msgspec
from google.protobuf import (  # type: ignore[import-untyped]  # its stubs are a package apart
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    message_factory,
)

RETRY_INFO_TYPE: Final = "type.googleapis.com/google.rpc.RetryInfo"


class Code(IntEnum):
    """The codes of gRPC that a refusal may carry."""

    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    UNAVAILABLE = 14


def _message_classes() -> tuple[Any, Any]:
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="google/rpc/status.proto", package="google.rpc", syntax="proto3")
    well_known = (any_pb2.DESCRIPTOR, duration_pb2.DESCRIPTOR)
    file.dependency.extend(each.name for each in well_known)
    status, retry = file.message_type.add(name="Status"), file.message_type.add(name="RetryInfo")
    status.field.add(name="code", number=1, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL)
    status.field.add(name="message", number=2, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    details = {"type": field.TYPE_MESSAGE, "type_name": ".google.protobuf.Any", "label": field.LABEL_REPEATED}
    status.field.add(name="details", number=3, **details)
    delay = {"type": field.TYPE_MESSAGE, "type_name": ".google.protobuf.Duration", "label": field.LABEL_OPTIONAL}
    retry.field.add(name="retry_delay", number=1, **delay)
    pool = descriptor_pool.DescriptorPool()  # apart from the default one, which may hold the real files
    for each in well_known:
        pool.AddSerializedFile(each.serialized_pb)
    pool.Add(file)
    names = ("google.rpc.Status", "google.rpc.RetryInfo")
    found = [message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names]
    return found[0], found[1]


STATUS, RETRY_INFO = _message_classes()


def as_json(code: Code, message: str) -> bytes:
    """The status in JSON."""
    return msgspec.json.encode({"code": code.value, "message": message})


def as_protobuf(code: Code, message: str, retry_after: timedelta | None = None) -> bytes:
    """The status as a protocol buffer; with a `RetryInfo` when the same may be sent again after a while."""
    status = STATUS(code=code.value, message=message)
    if retry_after is not None:
        info = RETRY_INFO()
        info.retry_delay.FromTimedelta(retry_after)
        status.details.add(type_url=RETRY_INFO_TYPE, value=info.SerializeToString())
    octets: bytes = status.SerializeToString()
    return octets
