"""Parameters that hold one text together: NAME, NAME.2, NAME.3 and so on. Those of others are never changed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, takewhile

from expose.aws import Clients
from expose.refusals import Refused
from expose.resources.mark import OWNER_TAG

_AT_ONCE = 10  # names in one call


class Parameters:
    ACTIONS = frozenset(
        {
            "ssm:AddTagsToResource",
            "ssm:DeleteParameter",
            "ssm:GetParameters",
            "ssm:ListTagsForResource",
            "ssm:PutParameter",
        }
    )

    def __init__(self, clients: Clients, stack: str) -> None:
        self._clients = clients
        self._stack = stack

    def read(self, name: str) -> list[str]:
        """The texts, in order; empty for one that lacks between others, nothing at all where there is none."""
        texts: dict[int, str] = {}
        for some in takewhile(lambda some: some == 0 or len(texts) == some * _AT_ONCE, count()):
            numbers = {
                _named(name, number): number for number in range(some * _AT_ONCE, (some + 1) * _AT_ONCE)
            }
            for each in self._clients.ssm.get_parameters(Names=list(numbers))["Parameters"]:
                texts[numbers[each.get("Name", "")]] = each.get("Value", "")
        return [texts.get(number, "") for number in range(max(texts, default=-1) + 1)]

    def write(self, name: str, before: Sequence[str], after: Sequence[str], mark: str = "") -> None:
        """What differs only; what is not needed any more goes last. Without a mark nothing new is made.

        Raise `Refused` where one is not ours.
        """
        for number, text in enumerate(after):
            if text != (before[number] if number < len(before) else ""):
                self._put(_named(name, number), text, mark)
        self.remove(name, range(len(after), len(before)))

    def remove(self, name: str, numbers: Sequence[int]) -> None:
        """Those that are ours, the last first, so that no gap hides any of them."""
        ssm = self._clients.ssm
        for part in (_named(name, number) for number in reversed(numbers)):
            if self._ours(self.owner(part)):
                try:
                    ssm.delete_parameter(Name=part)
                except ssm.exceptions.ParameterNotFound:
                    continue

    def make(self, name: str, text: str, mark: str) -> bool:
        """Whether it was not there before. Raise `Refused` where it is, and is not ours."""
        ssm = self._clients.ssm
        try:
            ssm.put_parameter(
                Name=name,
                Value=text,
                Type="String",
                Tier="Standard",
                Tags=[{"Key": OWNER_TAG, "Value": mark}],
            )
        except ssm.exceptions.ParameterAlreadyExists as error:  # or it is our own, whose answer was lost
            if self.owner(name) == mark:
                return False
            raise _taken(name) from error
        except ssm.exceptions.ParameterLimitExceeded as error:
            problem = f"Parameter Store has no room for {name}: delete parameters, or ask for more in Service Quotas"
            raise Refused("QuotaReached", problem) from error
        return True

    def owner(self, name: str) -> str | None:
        """The mark on a parameter, empty where it has none; None where there is no such parameter."""
        ssm = self._clients.ssm
        try:
            tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
        except ssm.exceptions.InvalidResourceId:
            return None
        return next((tag["Value"] for tag in tags if tag["Key"] == OWNER_TAG), "")

    def _put(self, name: str, text: str, mark: str) -> None:
        """Looked at first: a tag cannot be written together with a new value, nor a condition be set."""
        found = self.owner(name)
        if found is None and (not mark or self.make(name, text, mark)):
            return
        if found is not None and not self._ours(found):
            raise _taken(name)
        self._clients.ssm.put_parameter(Name=name, Value=text, Type="String", Tier="Standard", Overwrite=True)

    def _ours(self, mark: str | None) -> bool:
        """Of this stack: it gives a name to one exposure only."""
        return (mark or "").partition("/")[0] == self._stack


def _named(name: str, number: int) -> str:
    return f"{name}.{number + 1}" if number else name


def _taken(name: str) -> Refused:
    return Refused(
        "ParameterTaken",
        f"parameter {name} exists already and was not made for this tag: delete it first, or give the tag another label",
    )
