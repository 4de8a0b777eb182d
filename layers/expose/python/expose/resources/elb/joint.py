"""What several exposures forward through together: the rule or the listener that splits requests by weight.

What each adds stands in the ledger as its part. Whoever changes its part writes all parts into AWS, and once more if
another has changed one meanwhile: so what is there in the end is what all of them want, whoever comes last. One that
nobody shares is the same with a single part.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from expose.aws import Clients, code
from expose.model import Identity, Owned, Resource, digest
from expose.resources.kind import Ids, Made
from expose.shared import Shared

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import ActionTypeDef, TargetGroupTupleTypeDef

Parts = Mapping[str, str]


class Joint(ABC):
    """`missing` are AWS's codes for one that is gone."""

    missing: frozenset[str]

    def __init__(self, clients: Clients, shared: Shared, stack: str) -> None:
        self._clients = clients
        self._shared = shared
        self._stack = stack

    @abstractmethod
    def find(self, identity: Identity, spec: Mapping[str, Any] | None, ids: Ids) -> str:
        """The ARN of one that we made and whose answer was lost; empty for none."""

    @abstractmethod
    def make(self, resource: Resource, ids: Ids, forward: ActionTypeDef) -> str: ...

    @abstractmethod
    def change(self, aws_id: str, resource: Resource | None, forward: ActionTypeDef) -> None:
        """Forward so, and look at what `resource` says, where it is given."""

    @abstractmethod
    def remove(self, aws_id: str) -> None: ...

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        identity, part = resource.identity, _part(ids["group"], resource.spec["weight"])
        common = self._shared.take_part(identity, mark, part)
        if common.aws_id:
            try:
                self._agree(identity, common.aws_id, resource)
                return Made(common.aws_id)
            except ClientError as error:
                if code(error) not in self.missing:
                    raise
        self._shared.begin(identity, mark)
        aws_id = self.find(identity, resource.spec, ids)
        known = {} if aws_id else common.parts
        aws_id = aws_id or self.make(resource, ids, forward(common.parts))
        self._shared.made(identity, aws_id)
        self._agree(identity, aws_id, resource, known)
        return Made(aws_id)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return self.create(resource, ids, mark)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        """Anything, so that its part is withdrawn even if it was never made."""
        return self._shared.look(owned.identity).aws_id or owned.identity.key

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """Withdraw one's part; the last one to do so removes it all."""
        common = self._shared.withdraw(owned.identity, mark)
        there = common.aws_id or self.find(owned.identity, None, ids)
        try:
            if common.parts:
                if there:
                    self._agree(owned.identity, there, None)
            elif self._shared.close(owned.identity):
                if there:
                    self.remove(there)
                self._shared.drop(owned.identity)
        except ClientError as error:
            if code(error) not in self.missing:
                raise
            if not common.parts:
                self._shared.drop(owned.identity)
        return ""

    def owner(self, identity: Identity) -> str:
        """The mark of what several may own."""
        return f"{self._stack}/{digest(str(identity))}"

    def _agree(
        self, identity: Identity, aws_id: str, resource: Resource | None, known: Parts | None = None
    ) -> None:
        parts = self._shared.look(identity).parts
        while parts and parts != known:
            self.change(aws_id, resource, forward(parts))
            known, parts = parts, self._shared.look(identity).parts


def forward(parts: Parts) -> ActionTypeDef:
    """The action that splits requests as all want it."""
    groups = [json.loads(part) for _, part in sorted(parts.items())]
    targets: list[TargetGroupTupleTypeDef] = [
        {"TargetGroupArn": group, "Weight": weight} for group, weight in groups
    ]
    if len(targets) == 1 and targets[0].get("Weight") == 1:
        return {"Type": "forward", "TargetGroupArn": targets[0].get("TargetGroupArn", "")}
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": targets}}


def weights(actions: Iterable[Any]) -> dict[str, int]:
    """The weight of each target group in what AWS describes."""
    found: dict[str, int] = {}
    for action in actions:
        groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
        if not groups and action.get("TargetGroupArn"):
            groups = [{"TargetGroupArn": action["TargetGroupArn"]}]
        found |= {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}
    return found


def _part(group: str, weight: int) -> str:
    return json.dumps([group, weight])
