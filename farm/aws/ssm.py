"""Systems Manager's Parameter Store: the size of a standard parameter and the names that it may have, as AWS has them."""

from __future__ import annotations

import re
from typing import Any

from moto.ssm.exceptions import ValidationException
from moto.ssm.models import Parameter, SimpleSystemManagerBackend

_NAME = re.compile(r"[a-zA-Z0-9_.-]+|(?:/[a-zA-Z0-9_.-]+){1,15}")
_LONGEST_NAME = 1011  # with the ARN before it
_ROOM = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}


def mend() -> None:
    """Put moto's Parameter Store right, as far as values and names go."""
    SimpleSystemManagerBackend.put_parameter = _put_parameter


_moto_put = SimpleSystemManagerBackend.put_parameter


def _put_parameter(
    self: SimpleSystemManagerBackend, name: str, description: str, value: str, *rest: Any, **more: Any
) -> Parameter:
    full = f"arn:aws:ssm:{self.region_name}:{self.account_id}:parameter/{name.lstrip('/')}"
    if not _NAME.fullmatch(name) or len(full) > _LONGEST_NAME:
        raise ValidationException(
            f'Parameter name: "{name}" can\'t be formed as such: letters, numbers and .-_, at most fifteen levels'
        )
    tier = str(more.get("tier") or "Standard")
    if value and len(value.encode()) > _ROOM[tier]:
        raise ValidationException(
            f"{tier} tier parameters support a maximum parameter value of {_ROOM[tier]} characters. To create a "
            "larger parameter value, upgrade the parameter to use the advanced-parameter tier."
        )
    return _moto_put(self, name, description, value, *rest, **more)
