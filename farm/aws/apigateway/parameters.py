"""Request parameters of an integration: what may be done to which part of a request, and with what (F§5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from farm.aws.apigateway.model import invalid

_KEY = re.compile(r"(append|overwrite|remove):(header|querystring)\.(\S+)")
_VARIABLE = re.compile(r"\$\{?(request|context|stageVariables)\b([^\s/}]*)")
_OF_REQUEST = re.compile(r"\.(path|body|header\.\S+|querystring\.\S+|path\.\S+|body\.\S+)")
_RESERVED = {
    "authorization", "connection", "content-encoding", "content-length", "content-location", "forwarded",
    "keep-alive", "origin", "te", "trailers", "transfer-encoding", "upgrade", "via",
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
}  # fmt: skip
_RESERVED_BEGINNINGS = ("access-control-", "apigw-", "proxy-", "x-amz-", "x-amzn-")


def check_parameters(parameters: Mapping[str, str]) -> None:
    for key, value in parameters.items():
        if key != "overwrite:path":
            _check_key(key)
        for space, rest in _VARIABLE.findall(value):
            if space == "request" and not _OF_REQUEST.fullmatch(rest):
                raise invalid(f"Invalid mapping expression specified: {value}")


def _check_key(key: str) -> None:
    if (match := _KEY.fullmatch(key)) is None:
        raise invalid(f"Invalid Request Actioned Parameter: {key}")
    name = match[3].lower()
    if match[2] == "header" and (name in _RESERVED or name.startswith(_RESERVED_BEGINNINGS)):
        raise invalid(f"Operations on header {match[3]} are restricted")
