"""The controller's own Prometheus metrics."""

from typing import Annotated

from fastapi import APIRouter, Header, Response
from prometheus_client.exposition import choose_encoder

from controller.api.view import View


def routes(view: View) -> APIRouter:
    """`/metrics`."""
    router = APIRouter(tags=["metrics"])

    @router.get(
        "/metrics",
        summary="Metrics as text",
        response_class=Response,
        responses={200: {"description": "Prometheus or OpenMetrics text.", "content": {"text/plain": {}}}},
    )
    def metrics(accept: Annotated[str, Header()] = "text/plain") -> Response:
        encode, media_type = choose_encoder(accept)
        return Response(encode(view.registry), headers={"content-type": media_type})

    return router
