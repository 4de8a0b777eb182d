"""How the gateway says no: AWS tells clients little, so the reason is kept for logs and tests."""

from __future__ import annotations

from collections.abc import Mapping


class RefusedError(Exception):
    """The gateway answers by itself."""

    def __init__(
        self,
        status: int,
        message: str,
        reason: str,
        headers: Mapping[str, str] | None = None,
        *,
        code: str = "",
    ) -> None:
        super().__init__(reason)
        self.status, self.message, self.reason = status, message, reason
        self.headers = headers or {}
        self.code = code
        """AWS's name for what is wrong; only clients of REST APIs are told."""


def forbidden(reason: str, headers: Mapping[str, str] | None = None, *, code: str = "") -> RefusedError:
    return RefusedError(403, "Forbidden", reason, headers, code=code)


def unauthorized(reason: str, headers: Mapping[str, str] | None = None, *, code: str = "") -> RefusedError:
    return RefusedError(401, "Unauthorized", reason, headers, code=code)


def not_found(reason: str) -> RefusedError:
    return RefusedError(404, "Not Found", reason)


def unavailable(reason: str) -> RefusedError:
    return RefusedError(503, "Service Unavailable", reason)


def timed_out() -> RefusedError:
    return RefusedError(
        504, "Endpoint request timed out", "the backend took longer than the integration's timeout"
    )


def broken(reason: str) -> RefusedError:
    return RefusedError(500, "Internal Server Error", reason)


def throttled() -> RefusedError:
    return RefusedError(429, "Too Many Requests", "the route's bucket is empty")
