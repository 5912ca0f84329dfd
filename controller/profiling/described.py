"""What a server says of a model, and how to reach both over gRPC."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from controller.profiling.inputs import Tensor

LOAD_S: Final = 180.0
TROUBLES: Final = (InferenceServerException, TimeoutError)
MOST_CHARACTERS: Final = 200


class ServerError(Exception):
    """The server cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Described:
    """What the server says of a model: its inputs, and the whole of its configuration."""

    name: str
    inputs: tuple[Tensor, ...]
    config: Mapping[str, Any]

    @property
    def max_batch(self) -> int:
        """The largest batch; 1 for a model that does not batch."""
        return max(1, int(self.config.get("max_batch_size", 0)))

    @property
    def has_batches(self) -> bool:
        """Whether its tensors have a first dimension for the batch."""
        return int(self.config.get("max_batch_size", 0)) > 0


@asynccontextmanager
async def connected(address: str, model: str) -> AsyncIterator[tuple[InferenceServerClient, Described]]:
    """A client of the server's gRPC address, and the model; it is loaded first if it is not. Raises ServerError."""
    async with InferenceServerClient(address) as client:
        try:
            if not await client.is_model_ready(model):
                await client.load_model(model, client_timeout=LOAD_S)
            config = (await client.get_model_config(model, as_json=True))["config"]
        except TROUBLES as error:
            raise ServerError(
                f"{model} on {address} cannot be used ({words(error)}): give the server's gRPC address, usually port "
                "8001, and a model of its repository"
            ) from error
        yield client, Described(model, tuple(_tensor(item) for item in config.get("input", ())), config)


def words(error: BaseException) -> str:
    """The first line of what an error says."""
    return (str(error) or type(error).__name__).splitlines()[0][:MOST_CHARACTERS]


def _tensor(told: Mapping[str, Any]) -> Tensor:
    datatype = str(told["data_type"]).removeprefix("TYPE_")
    dims = tuple(int(size) for size in told.get("dims", ()))
    return Tensor(told["name"], "BYTES" if datatype == "STRING" else datatype, dims)
