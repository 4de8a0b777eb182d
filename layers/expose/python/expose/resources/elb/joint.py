"""What several exposures forward through together: the rule or the listener that splits requests by weight.

What each adds stands in the ledger as its part. Whoever changes its part writes all parts into AWS, and once more if
another has changed one meanwhile: so what is there in the end is what all of them want, whoever comes last. One that
nobody shares is the same with a single part.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from expose.aws import Clients, code
from expose.model import Identity, Owned, Resource
from expose.refusals import Refused
from expose.resources.kind import Ids, Made
from expose.resources.mark import owner
from expose.shared import Shared

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import ActionTypeDef, TargetGroupTupleTypeDef

Parts = Mapping[str, str]

_MOST = 5  # target groups that one action forwards to (F§4.2)


class Joint(ABC):
    """`missing` are AWS's codes for one that is gone, or for the load balancer that it was in."""

    missing: frozenset[str]

    def __init__(self, clients: Clients, shared: Shared, stack: str) -> None:
        self._clients = clients
        self._shared = shared
        self._stack = stack

    @abstractmethod
    def is_there(self, aws_id: str) -> bool:
        """Asked before it is changed: IAM knows no mark on what is gone, and refuses without saying why."""

    @abstractmethod
    def find(self, identity: Identity, spec: Mapping[str, Any] | None, ids: Ids) -> str:
        """The ARN of one that we made and whose answer was lost; empty for none."""

    @abstractmethod
    def make(self, resource: Resource, ids: Ids, forward: ActionTypeDef) -> str: ...

    @abstractmethod
    def change(self, aws_id: str, resource: Resource | None, forward: ActionTypeDef) -> None:
        """Forward so, and be as `resource` says, where it is given."""

    @abstractmethod
    def remove(self, aws_id: str) -> None: ...

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        identity, part = resource.identity, _part(ids["group"], resource.spec["weight"])
        common = self._shared.take_part(identity, mark, part)
        if len(common.parts) > _MOST:
            self._shared.withdraw(identity, mark)
            raise Refused(
                "QuotaReached", f"{_MOST} services share this already, and a load balancer takes no more"
            )
        found = common.aws_id or (common.unanswered and self.find(identity, resource.spec, ids)) or ""
        if found and self.is_there(found):
            if not common.aws_id:
                self._shared.made(identity, found)
            self._agree(identity, found, resource)
            return Made(found)
        if common.aws_id:
            self._shared.lost(identity, common.aws_id)
        with self._shared.making(identity, mark):
            return Made(self._made(resource, ids, common.parts))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return self.create(resource, ids, mark)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        """Anything, so that its part is withdrawn even if it was never made."""
        return self._shared.look(owned.identity).aws_id or owned.identity.key

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """Withdraw one's part; the last one to do so removes it all."""
        identity = owned.identity
        common = self._shared.withdraw(identity, mark)
        there = self._there(owned, common.aws_id, ids)
        if there and not common.aws_id:
            self._shared.made(identity, there)
        if common.parts:
            if there:
                self._unless_missing(lambda: self._agree(identity, there, None))
        elif self._shared.close(identity, mark):
            with self._shared.removal(identity):
                if there:
                    self._unless_missing(lambda: self.remove(there))
            self._shared.drop(identity, common.aws_id or there)
        return ""

    def _made(self, resource: Resource, ids: Ids, parts: Parts) -> str:
        identity = resource.identity
        found = self.find(identity, resource.spec, ids)
        aws_id = found or self.make(resource, ids, forward(parts))
        self._shared.made(identity, aws_id)
        self._agree(identity, aws_id, resource, {} if found else parts)
        return aws_id

    def _there(self, owned: Owned, aws_id: str, ids: Ids) -> str:
        """The ARN of what may have to be removed; empty where it is gone or was never made."""
        if aws_id:
            return aws_id if self.is_there(aws_id) else ""
        found: list[str] = []
        self._unless_missing(lambda: found.append(self.find(owned.identity, None, ids)))
        return found[0] if found else ""

    def _unless_missing(self, act: Callable[[], None]) -> None:
        try:
            act()
        except ClientError as error:
            if code(error) not in self.missing:
                raise

    def owner(self, identity: Identity) -> str:
        """The mark of what several may own."""
        return owner(self._stack, identity)

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
