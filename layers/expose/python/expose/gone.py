"""Whether what ECS does not know is gone: believed only where a second, different answer does not contradict (F§10.4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from expose.arn import ServiceArn
from expose.refusals import NotYet

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import DescribeClustersResponseTypeDef, TaskTypeDef

NO_CLUSTER = "ClusterNotFoundException"

_AGAIN = 10.0  # seconds before ECS is asked again that contradicts itself


def check_stopped(arn: ServiceArn, tasks: Iterable[TaskTypeDef]) -> None:
    """A service that is gone has none among `tasks` that is meant to run. Raise `NotYet` where it has."""
    for task in tasks:
        runs = "STOPPED" not in {task.get("desiredStatus"), task.get("lastStatus")}
        if runs and task.get("group") == f"service:{arn.name}":
            name = task["taskArn"].rpartition("/")[2]
            raise NotYet(f"ECS does not know {arn.label}, and says that its task {name} runs", seconds=_AGAIN)


def check_gone(cluster: str, answer: DescribeClustersResponseTypeDef) -> None:
    """Raise `NotYet` where ECS, asked for the cluster itself, says that it is there, or does not say."""
    said = [each.get("status", "") for each in answer["clusters"]]
    said += [each.get("reason", "") for each in answer["failures"]]
    if problems := {*said} - {"INACTIVE", "MISSING"}:
        raise NotYet(
            f"ECS does not find cluster {cluster}, and says {', '.join(problems)} of it", seconds=_AGAIN
        )
