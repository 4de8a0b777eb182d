"""Container instances: the EC2 instances that host tasks of launch type EC2, with addresses of the farm."""

from __future__ import annotations

from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import Cluster, ContainerInstance, EC2ContainerServiceBackend, ecs_backends

from farm.aws import ACCOUNT, REGION
from farm.aws.ecs import network
from farm.aws.ecs.model import Task, ec2_of

_IMAGE = "ami-0ec50000000000000"
_moto_create_cluster = EC2ContainerServiceBackend.create_cluster


def add_host(
    cluster: str, subnet_id: str, *, public: bool = False, region: str = REGION
) -> ContainerInstance:
    """An EC2 instance in the subnet that joins the cluster, with a public address if asked for."""
    backend: EC2ContainerServiceBackend = ecs_backends[ACCOUNT][region]
    nic = {"DeviceIndex": 0, "SubnetId": subnet_id, "AssociatePublicIpAddress": public}
    reservation = ec2_of(backend).run_instances(
        _IMAGE, 1, "", [], instance_type="m7g.large", is_instance_type_default=False, nics=[nic]
    )
    return backend.register_container_instance(cluster, reservation.instances[0].id)


def create_cluster(
    self: EC2ContainerServiceBackend, cluster_name: str, *args: object, **kwargs: object
) -> Cluster:
    """Asking twice for a cluster gives the same one; and it can be asked for its instances before it has any."""
    self.container_instances.setdefault(cluster_name, {})
    present = self.clusters.get(cluster_name)
    if present and present.status == "ACTIVE":
        return present
    return _moto_create_cluster(self, cluster_name, *args, **kwargs)


def place(task: Task, host: str | None) -> None:
    """Spread: of the container instances with room, the one with the fewest tasks."""
    hosts = task.backend.container_instances.get(task.cluster_name, {})
    room = [
        one
        for one in hosts.values()
        if one.status == "ACTIVE" and host in {None, one.id} and network.fits(one, task)
    ]
    if not room:
        raise InvalidParameterException("No Container Instances were found in your cluster.")
    chosen: ContainerInstance = min(room, key=lambda one: one.running_tasks_count)
    task.container_instance_arn = chosen.container_instance_arn
    task.availability_zone = chosen.attributes["ecs.availability-zone"]
    chosen.running_tasks_count += 1
    network.reserve(task)


def leave(task: Task) -> None:
    host = (task.container_instance_arn or "").split("/")[-1]
    if (
        found := task.backend.container_instances.get(task.cluster_name, {}).get(host)
    ) and not task.stopped_at:
        found.running_tasks_count -= 1
