"""`google.rpc.Status`, the body of every refusal: built here, for its package brings hundreds of other messages."""

from enum import IntEnum
from typing import Final

import msgspec
from google.protobuf import (  # type: ignore[import-untyped]  # its stubs are a package apart
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)


class Code(IntEnum):
    """The codes of gRPC that a refusal may carry."""

    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    UNAVAILABLE = 14


def _message_class() -> type:
    file = descriptor_pb2.FileDescriptorProto(name="google/rpc/status.proto", package="google.rpc", syntax="proto3")
    message = file.message_type.add(name="Status")
    optional = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    for number, name, kind in (
        (1, "code", descriptor_pb2.FieldDescriptorProto.TYPE_INT32),
        (2, "message", descriptor_pb2.FieldDescriptorProto.TYPE_STRING),
    ):
        message.field.add(name=name, number=number, type=kind, label=optional)
    pool = descriptor_pool.DescriptorPool()  # apart from the default one, which may hold the real file
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("google.rpc.Status"))  # type: ignore[no-any-return]


STATUS: Final = _message_class()


def as_json(code: Code, message: str) -> bytes:
    """The status in JSON."""
    return msgspec.json.encode({"code": code.value, "message": message})


def as_protobuf(code: Code, message: str) -> bytes:
    """The status as a protocol buffer."""
    status: bytes = STATUS(code=code.value, message=message).SerializeToString()
    return status
