"""Errors as problem details (RFC 9457): every 4xx and 5xx answer has this one shape."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

LOG: Final = logging.getLogger("gridwright.api")
MEDIA_TYPE: Final = "application/problem+json"
TYPES: Final = "tag:gridwright.dev,2026:problems/"

SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "What kind of problem it is."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong this time, and the next step."},
        "reasons": {"type": "array", "items": {"type": "string"}},
    },
    "example": {
        "type": f"{TYPES}not-ready",
        "title": "The loop is not ready",
        "status": 503,
        "detail": "ask again after the first turn",
        "reasons": ["the first turn is not done yet"],
    },
}


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """An answer that tells what is wrong. `kind` is the last part of its type; `reasons` are told one by one."""

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        title: str,
        detail: str = "",
        *,
        reasons: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail
        self.reasons = reasons
        self.headers = headers

    def response(self) -> Response:
        """The answer."""
        body = {"type": TYPES + self.kind, "title": self.title, "status": int(self.status)}
        body |= {"detail": self.detail} if self.detail else {}
        body |= {"reasons": self.reasons} if self.reasons else {}
        return Response(msgspec.json.encode(body), self.status, self.headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Have the application answer every error with a problem."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return error.response()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        kind = status.phrase.lower().replace(" ", "-")
        detail = f"{request.method} {request.url.path}: /openapi.json lists what there is"
        return Problem(status, kind, status.phrase, detail, headers=error.headers).response()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        found = error.errors()
        reasons = tuple(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in found)
        unread = any(item["type"] == "json_invalid" for item in found)
        status = HTTPStatus.BAD_REQUEST if unread else HTTPStatus.UNPROCESSABLE_ENTITY
        detail = "correct what the reasons name; /openapi.json has the schema and an example"
        return Problem(status, "invalid-request", "The request cannot be used", detail, reasons=reasons).response()

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
        # The server closes the connection after this, and a client should know.
        return Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "unexpected",
            "Something unexpected happened",
            "report it with the controller's log; the loop goes on",
            headers={"Connection": "close"},
        ).response()
