"""What the owner of some services does with an AWS account, a word each: for tests, the demo and the command line.

Everything here goes through the API with the user's key, so it works on a farm in process and on one behind a server.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

import boto3
from botocore.config import Config

from farm import seed
from farm.aws import ACCOUNT, REGION
from farm.entrances import Entrances

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import ServiceTypeDef, TaskTypeDef
    from mypy_boto3_servicediscovery import ServiceDiscoveryClient

KEY = "farm"
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3}, inject_host_prefix=False, max_pool_connections=20
)

Mode = Literal["awsvpc", "bridge", "host"]


@functools.cache
def client(service: str, endpoint: str | None = None) -> Any:
    """The user's client. Built once per process: building one takes longer than most tests."""
    return boto3.client(  # type: ignore[call-overload]  # the stubs want a literal
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=KEY,
        aws_secret_access_key=KEY,
        config=_CONFIG,
    )


class Account(Entrances):
    """The account as its user sees it. `endpoint` is where it answers, None in process.

    The verbs for load balancers are in `Entrances`.
    """

    def __init__(self, endpoint: str | None = None, cluster: str = seed.CLUSTER) -> None:
        self.endpoint = endpoint
        self.cluster = cluster

    @property
    def ecs(self) -> ECSClient:
        return cast("ECSClient", self.client("ecs"))

    @property
    def ec2(self) -> EC2Client:
        return cast("EC2Client", self.client("ec2"))

    @property
    def cloudmap(self) -> ServiceDiscoveryClient:
        return cast("ServiceDiscoveryClient", self.client("servicediscovery"))

    def client(self, service: str) -> Any:
        return client(service, self.endpoint)

    def create_service(
        self,
        name: str,
        count: int = 4,
        *,
        tags: Mapping[str, str] | None = None,
        public: bool = True,
        ports: tuple[int, ...] = (seed.PORT,),
        mode: Mode = "awsvpc",
        launch_type: Literal["FARGATE", "EC2"] | None = None,
        checked: bool = False,
        cluster: str = "",
        **more: Any,
    ) -> str:
        """Create a service with a task definition of its own; `more` goes to CreateService as it is. Its ARN."""
        awsvpc = {"networkConfiguration": self.network.configuration(public=public)}
        made = self.ecs.create_service(
            **{
                "cluster": cluster or self.cluster,
                "serviceName": name,
                "desiredCount": count,
                "taskDefinition": seed.task_definition(
                    self.ecs, name, ports=ports, mode=mode, checked=checked
                ),
                "launchType": launch_type or ("FARGATE" if mode == "awsvpc" else "EC2"),
                "tags": [{"key": key, "value": value} for key, value in (tags or {}).items()],
                **(awsvpc if mode == "awsvpc" else {}),
                **more,
            }
        )
        return made["service"]["serviceArn"]

    def service(self, name: str) -> ServiceTypeDef:
        """As DescribeServices has it, tags included. `name` may be an ARN, here and below."""
        cluster, name = self._named(name)
        return self.ecs.describe_services(cluster=cluster, services=[name], include=["TAGS"])["services"][0]

    def tag(self, name: str, tags: Mapping[str, str]) -> None:
        pairs = [{"key": key, "value": value} for key, value in tags.items()]
        self.ecs.tag_resource(resourceArn=self.arn(name), tags=pairs)  # type: ignore[arg-type]  # both are strings

    def untag(self, name: str, *keys: str) -> None:
        self.ecs.untag_resource(resourceArn=self.arn(name), tagKeys=list(keys))

    def scale(self, name: str, count: int) -> None:
        cluster, name = self._named(name)
        self.ecs.update_service(cluster=cluster, service=name, desiredCount=count)

    def deploy_new_revision(self, name: str) -> str:
        """Register the task definition once more and roll the service over to it. The new revision's ARN."""
        now = self.ecs.describe_task_definition(taskDefinition=self.service(name)["taskDefinition"])[
            "taskDefinition"
        ]
        cluster, name = self._named(name)
        kept = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "containerDefinitions")
        again = {key: value for key, value in now.items() if key in kept}
        revision = self.ecs.register_task_definition(**cast("Any", again))["taskDefinition"][
            "taskDefinitionArn"
        ]
        self.ecs.update_service(cluster=cluster, service=name, taskDefinition=revision)
        return revision

    def delete_service(self, name: str) -> None:
        cluster, name = self._named(name)
        self.ecs.delete_service(cluster=cluster, service=name, force=True)

    def stop_task(self, task: str, reason: str = "Stopped by its owner") -> None:
        self.ecs.stop_task(cluster=self.cluster, task=task, reason=reason)

    def tasks(self, name: str) -> list[TaskTypeDef]:
        """The service's tasks that are to run."""
        cluster, name = self._named(name)
        found: list[TaskTypeDef] = []
        for page in self.ecs.get_paginator("list_tasks").paginate(cluster=cluster, serviceName=name):
            if page["taskArns"]:
                found += self.ecs.describe_tasks(cluster=cluster, tasks=page["taskArns"])["tasks"]
        return found

    def addresses(self, name: str, *, public: bool = True) -> list[str]:
        """Of the tasks that are RUNNING and to stay so: public ones, or private ones, sorted."""
        running = [task for task in self.tasks(name) if task["lastStatus"] == "RUNNING"]
        interfaces = [_detail(task, "networkInterfaceId") for task in running]
        if not public:
            return sorted(filter(None, (_detail(task, "privateIPv4Address") for task in running)))
        return sorted(self._public_addresses([one for one in interfaces if one]))

    def public_address(self, task: TaskTypeDef) -> str:
        """Of one task, as DescribeTasks has it; empty where it has none."""
        return next(self._public_addresses([_detail(task, "networkInterfaceId")]), "")

    def create_namespace(self, name: str, kind: Literal["public", "private", "http"] = "public") -> None:
        """Ask for a namespace; it takes a while."""
        if kind == "public":
            self.cloudmap.create_public_dns_namespace(Name=name)
        elif kind == "private":
            self.cloudmap.create_private_dns_namespace(Name=name, Vpc=self.network.vpc)
        else:
            self.cloudmap.create_http_namespace(Name=name)

    def arn(self, name: str) -> str:
        cluster, name = self._named(name)
        return f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{cluster}/{name}"

    def _named(self, name: str) -> tuple[str, str]:
        """Cluster and name of a service given by name or by long ARN."""
        if not name.startswith("arn:"):
            return self.cluster, name
        _, cluster, short = name.split("/")
        return cluster, short

    def _public_addresses(self, interfaces: Sequence[str]) -> Iterator[str]:
        if not interfaces:
            return
        for interface in self.ec2.describe_network_interfaces(NetworkInterfaceIds=interfaces)[
            "NetworkInterfaces"
        ]:
            if address := interface.get("Association", {}).get("PublicIp"):
                yield address


def _detail(task: TaskTypeDef, name: str) -> str:
    details = [one for attachment in task.get("attachments", []) for one in attachment.get("details", [])]
    return next((one.get("value", "") for one in details if one.get("name") == name), "")
