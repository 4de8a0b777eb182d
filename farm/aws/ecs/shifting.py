"""Deployments that shift traffic: two colours run side by side, and one of them takes production traffic (F§11.8).

Blue/green, linear and canary ones of ECS itself, and those of CODE_DEPLOY and EXTERNAL, whose deployments show as task
sets. Nothing shifts by itself here: tests say how far it is, and when the old colour may go.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.models import Service
from moto.ecs.responses import EC2ContainerServiceResponse

_WHOLE = 100.0


@dataclass(slots=True)
class Shift:
    """`weight` is the percentage of production traffic that the new colour gets."""

    weight: float = 0.0
    stage: str = "SCALE_UP"
    ended: bool = False


def begin(service: Service) -> None:
    """A deployment is put before the old ones."""
    if _has_task_sets(service) or service.deployment_configuration.get("strategy") != "ROLLING":
        service.farm_shift = Shift()


def shift_traffic(service: Service, weight: float, stage: str) -> None:
    service.farm_shift.weight, service.farm_shift.stage = weight, stage


def clean_up(service: Service) -> None:
    """The old colour may go."""
    service.farm_shift.ended, service.farm_shift.stage = True, "CLEAN_UP"


def settle(service: Service) -> None:
    """One colour is left."""
    service.farm_shift = None


def stays_beside(service: Service) -> bool:
    """Whether the old colour goes on running."""
    shift = _of(service)
    return shift is not None and not shift.ended


def shown(service: Service) -> Service:
    """As DescribeServices has it."""
    seen = copy.copy(service)
    if _has_task_sets(service):
        seen.task_sets, seen.deployments = _task_sets(service), []
        seen.network_configuration = None
    elif _of(service):
        seen.current_service_deployment = _arn(service)
    return seen


def describe_service_deployments(self: EC2ContainerServiceResponse) -> ActionResult:
    asked = self._get_param("serviceDeploymentArns")
    known = {_arn(each): each for each in self.ecs_backend.services.values() if _of(each)}
    failures = [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in known]
    return ActionResult(
        {
            "serviceDeployments": [_deployment(known[arn], arn) for arn in asked if arn in known],
            "failures": failures,
        }
    )


def _of(service: Service) -> Shift | None:
    found: Shift | None = getattr(service, "farm_shift", None)
    return found


def _has_task_sets(service: Service) -> bool:
    return bool((service.deployment_controller or {}).get("type", "ECS") != "ECS")


def _task_sets(service: Service) -> list[dict[str, Any]]:
    shift = _of(service)
    newest_first = service.deployments
    primary = newest_first[0] if not shift or shift.weight >= _WHOLE else newest_first[-1]
    settled = all(one["rolloutState"] == "COMPLETED" for one in newest_first)
    return [
        {
            "id": one["id"],
            "status": "PRIMARY" if one is primary else "ACTIVE",
            "taskDefinition": one["taskDefinition"],
            "launchType": one["launchType"],
            "networkConfiguration": one["networkConfiguration"],
            "runningCount": one["runningCount"],
            "pendingCount": one["pendingCount"],
            "stabilityStatus": "STEADY_STATE" if settled else "STABILIZING",
            "createdAt": one["createdAt"],
        }
        for one in newest_first
    ]


def _arn(service: Service) -> str:
    newest = service.deployments[0]["id"].rpartition("/")[2]
    return f"{service.arn.replace(':service/', ':service-deployment/')}/{newest}"


def _deployment(service: Service, arn: str) -> dict[str, Any]:
    shift = service.farm_shift
    weights = {"target": shift.weight, "source": _WHOLE - shift.weight}
    revisions = {
        which: {"arn": f"{arn}/{which}", "requestedProductionTrafficWeight": weight}
        for which, weight in weights.items()
    }
    return {
        "serviceDeploymentArn": arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "status": "IN_PROGRESS",
        "lifecycleStage": shift.stage,
        "sourceServiceRevisions": [revisions["source"]],
        "targetServiceRevision": revisions["target"],
    }
