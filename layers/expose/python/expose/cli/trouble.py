"""What can go wrong before anything is looked at: said with what to do about it."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from expose.aws import code
from expose.refusals import NotYet

NOT_AS_ASKED, NOT_FOUND, AWS = 1, 2, 3
"""Exit statuses, beside 0: something is not as asked; there is no such thing; AWS does not answer, or refuses."""

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
_STALE = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNKNOWN_KEY = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"})


class Trouble(Exception):  # noqa: N818 - it is told, and is no bug
    """What stands in the way, with what to do, and the exit status that says so to scripts."""

    def __init__(self, said: str, status: int = NOT_FOUND) -> None:
        super().__init__(said)
        self.status = status


def in_words(error: ClientError | BotoCoreError | NotYet) -> str:
    match error:
        case NoCredentialsError():
            return "no credentials: run `aws configure` or `aws sso login`, or set AWS_PROFILE"
        case UnauthorizedSSOTokenError() | TokenRetrievalError():
            return "the session has expired: run `aws sso login`"
        case NoRegionError():
            return "no Region: say --region, or set AWS_DEFAULT_REGION"
        case ProfileNotFound():
            return f"{error}: see `aws configure list-profiles`"
        case EndpointConnectionError():
            return f"{error} Is AWS_ENDPOINT_URL right, and is there a network?"
        case NotYet():
            return error.message
    return _of_aws(error)


def _of_aws(error: ClientError | BotoCoreError) -> str:
    if code(error) in _DENIED:
        return f"{error}. The command reads what the stack's functions read; see its permissions in README.md"
    if code(error) in _STALE:
        return "the credentials have expired: get new ones, with `aws sso login` or as you got these"
    if code(error) in _UNKNOWN_KEY:
        return f"AWS does not know these credentials ({code(error)}): see `aws sts get-caller-identity`, and AWS_PROFILE"
    return str(error)
