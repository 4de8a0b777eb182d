"""The calls about services as AWS answers them. None of them starts or stops a task: that is the living ECS's work.

A change that needs other tasks puts a new PRIMARY deployment before the old ones; tasks name theirs in `startedBy`.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import ECSException, InvalidParameterException, ServiceNotFoundException
from moto.ecs.models import EC2ContainerServiceBackend, Service, TaskDefinition
from moto.ecs.responses import DESCRIBE_SERVICES_TAGS, EC2ContainerServiceResponse
from moto.moto_api._internal import mock_random

from farm.aws.ecs import shifting
from farm.aws.ecs.calls import check_cluster, network_of, some
from farm.aws.ecs.model import now
from farm.aws.ecs.tags import check_tags
from farm.aws.ecs.tasks import recount

_MOST_SERVICES = 10
_ROLLING = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
}
_KEPT = {
    "deploymentConfiguration": "deployment_configuration",
    "capacityProviderStrategy": "capacity_provider_strategy",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "enableExecuteCommand": "enable_execute_command",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "loadBalancers": "load_balancers",
    "networkConfiguration": "network_configuration",
    "placementConstraints": "placement_constraints",
    "placementStrategy": "placement_strategy",
    "platformVersion": "platform_version",
    "propagateTags": "propagate_tags",
    "serviceRegistries": "service_registries",
}
_REPLACING = frozenset(
    [
        "capacityProviderStrategy",
        "loadBalancers",
        "networkConfiguration",
        "platformVersion",
        "serviceRegistries",
    ]
)
"""What of UpdateService calls for new tasks, besides the task definition."""


def create_service(self: EC2ContainerServiceResponse) -> ActionResult:
    backend: EC2ContainerServiceBackend = self.ecs_backend
    cluster = backend._get_cluster(self._get_param("cluster", "default"))
    asked = self._get_params()
    _check_new(backend, cluster.name, asked)
    if not asked.get("launchType") and cluster.default_capacity_provider_strategy:
        asked.setdefault("capacityProviderStrategy", cluster.default_capacity_provider_strategy)
    launch_type = None if asked.get("capacityProviderStrategy") else asked.get("launchType") or "EC2"
    definition = backend.describe_task_definition(asked["taskDefinition"])
    asked["networkConfiguration"] = _network(asked.get("networkConfiguration"), definition, launch_type)
    service = Service(
        cluster=cluster,
        service_name=asked["serviceName"],
        desired_count=self._get_int_param("desiredCount") or 0,
        task_definition=definition,
        scheduling_strategy=asked.get("schedulingStrategy"),
        tags=asked.get("tags"),
        deployment_controller=asked.get("deploymentController"),
        launch_type=launch_type,
        backend=backend,
        role_arn=asked.get("role"),
        network_configuration=asked["networkConfiguration"],
    )
    service.farm_arn = service.arn
    service.created_at = now()
    service.deployment_configuration = dict(_ROLLING)
    _keep(service, asked)
    service.deployments = [_deployment(service)]
    backend.services[f"{cluster.name}:{service.name}"] = service
    recount(service)
    return ActionResult({"service": service})


def update_service(self: EC2ContainerServiceResponse) -> ActionResult:
    backend: EC2ContainerServiceBackend = self.ecs_backend
    asked = self._get_params()
    service = _get(backend, asked)
    if service.status != "ACTIVE":
        raise ECSException("ServiceNotActiveException", "Service was not ACTIVE.")
    replacing = bool(_REPLACING & asked.keys()) or str(asked.get("forceNewDeployment")).lower() == "true"
    if "taskDefinition" in asked:
        definition = backend.describe_task_definition(asked["taskDefinition"])
        replacing = replacing or definition.arn != service.task_definition
        service.task_definition = definition.arn
    if "networkConfiguration" in asked:
        definition = backend.describe_task_definition(service.task_definition)
        asked["networkConfiguration"] = _network(
            asked["networkConfiguration"], definition, service.launch_type
        )
    _keep(service, asked)
    if "desiredCount" in asked:
        service.desired_count = int(asked["desiredCount"])
    if replacing:
        for old in service.deployments:
            old["status"], old["updatedAt"] = "ACTIVE", now()
        service.deployments.insert(0, _deployment(service))
        shifting.begin(service)
    for deployment in service.deployments[:1]:
        deployment["desiredCount"], deployment["updatedAt"] = service.desired_count, now()
    recount(service)
    return ActionResult({"service": service})


def delete_service(self: EC2ContainerServiceResponse) -> ActionResult:
    """Out of ListServices at once; DRAINING while tasks are left, then INACTIVE and without tags (F§1.4)."""
    service = _get(self.ecs_backend, self._get_params())
    if service.desired_count > 0 and str(self._get_param("force", False)).lower() != "true":
        raise InvalidParameterException("The service cannot be stopped while it is scaled above 0.")
    service.was_tagged = getattr(service, "was_tagged", False) or bool(service.tags)
    service.status = "DRAINING" if service.status == "ACTIVE" else service.status
    service.desired_count = 0
    for deployment in service.deployments:
        deployment["desiredCount"] = 0
    recount(service)
    return ActionResult({"service": service})


def list_services(self: EC2ContainerServiceResponse) -> ActionResult:
    backend: EC2ContainerServiceBackend = self.ecs_backend
    cluster = backend._get_cluster(self._get_param("cluster", "default"))
    strategy, launch_type = self._get_param("schedulingStrategy"), self._get_param("launchType")
    arns = [
        service.arn
        for service in backend.services.values()
        if service.cluster_name == cluster.name
        and service.status == "ACTIVE"
        and strategy in {None, service.scheduling_strategy}
        and launch_type in {None, service.launch_type}
    ]
    found, token = some(self, arns, str, 10)
    return ActionResult({"serviceArns": found, "nextToken": token})


def describe_services(self: EC2ContainerServiceResponse) -> ActionResult:
    backend: EC2ContainerServiceBackend = self.ecs_backend
    cluster = backend._get_cluster(self._get_param("cluster", "default"))
    asked: list[str] = self._get_param("services", [])
    if not asked:
        raise InvalidParameterException("Services cannot be empty.")
    if len(asked) > _MOST_SERVICES:
        raise InvalidParameterException(f"Services cannot have more than {_MOST_SERVICES} elements.")
    for one in asked:
        check_cluster(one, cluster.name)
    if "TAGS" in self._get_param("include", []):
        self._include_in_response(DESCRIBE_SERVICES_TAGS)
    else:
        self._exclude_from_response(DESCRIBE_SERVICES_TAGS)
    services, failures = backend.describe_services(cluster.name, asked)
    return ActionResult({"services": [shifting.shown(each) for each in services], "failures": failures})


def purge_service(service: Service) -> None:
    """ECS forgets an INACTIVE service after a while: from then on it is MISSING."""
    service._backend.services.pop(f"{service.cluster_name}:{service.name}", None)


def _check_new(backend: EC2ContainerServiceBackend, cluster: str, asked: dict[str, Any]) -> None:
    check_tags(asked.get("tags") or [])
    present = backend.services.get(f"{cluster}:{asked['serviceName']}")
    if present and present.status == "ACTIVE":
        raise InvalidParameterException("Creation of service was not idempotent.")
    if present and present.status == "DRAINING":
        raise InvalidParameterException("Unable to Start a service that is still Draining.")
    if asked.get("launchType") and asked.get("capacityProviderStrategy"):
        raise InvalidParameterException(
            "Specify either Launch Type or Capacity Provider Strategy, but not both."
        )


def _network(
    asked: dict[str, Any] | None, definition: TaskDefinition, launch_type: str | None
) -> dict[str, Any] | None:
    """EC2 hosts give their tasks no public address (F§1.2), and AWS says so at once."""
    configured = network_of(asked, definition.network_mode)
    public = configured.get("awsvpcConfiguration", {}).get("assignPublicIp") == "ENABLED"
    if public and launch_type == "EC2":
        raise InvalidParameterException("Assign public IP is not supported for this launch type.")
    return configured or None


def _keep(service: Service, asked: dict[str, Any]) -> None:
    for name, attribute in _KEPT.items():
        if asked.get(name) is not None:
            setattr(service, attribute, asked[name])
    service.deployment_configuration = _ROLLING | service.deployment_configuration


def _deployment(service: Service) -> dict[str, Any]:
    """What the living ECS works on: it starts tasks for it and in the end says that it is COMPLETED."""
    strategy = getattr(service, "capacity_provider_strategy", None)
    identity = f"ecs-svc/{mock_random.randint(10**18, 10**19 - 1)}"
    return {
        "id": identity,
        "status": "PRIMARY",
        "taskDefinition": service.task_definition,
        "desiredCount": service.desired_count,
        "pendingCount": 0,
        "runningCount": 0,
        "failedTasks": 0,
        "createdAt": now(),
        "updatedAt": now(),
        "launchType": None if strategy else service.launch_type,
        "capacityProviderStrategy": strategy,
        "platformVersion": service.platform_version,
        "networkConfiguration": service.network_configuration or None,
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": f"ECS deployment {identity} in progress.",
    }


def _get(backend: EC2ContainerServiceBackend, asked: dict[str, Any]) -> Service:
    cluster = backend._get_cluster(asked.get("cluster", "default"))
    check_cluster(asked["service"], cluster.name)
    service = backend.services.get(f"{cluster.name}:{asked['service'].split('/')[-1]}")
    if service is None:
        raise ServiceNotFoundException
    return service
