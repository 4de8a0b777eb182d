"""What the farm has before anybody asks: a network, a cluster, and, for those who want to look around, two services.

Everything is made through the API, as a user would have made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import IpPermissionTypeDef
    from mypy_boto3_ecs import ECSClient

VPC = "127.20.0.0/16"
CLUSTER = "granja"
NAMESPACE = "granja.animales.com"
PORT = 8080
SSH = 22
_SUBNETS = (
    ("public-a", "eu-west-1a", "127.20.0.0/20"),
    ("public-b", "eu-west-1b", "127.20.16.0/20"),
    ("private-a", "eu-west-1a", "127.20.128.0/20"),
    ("private-b", "eu-west-1b", "127.20.144.0/20"),
)


@dataclass(frozen=True, slots=True)
class Network:
    """The farm's VPC, with a public and a private subnet in each of two zones. Public is what has a way out."""

    vpc: str
    public: tuple[str, ...]
    private: tuple[str, ...]
    security_group: str
    """Of tasks."""
    balancer_group: str
    """Of load balancers."""

    def configuration(self, *, public: bool, group: str = "") -> dict[str, Any]:
        """The network configuration of tasks in the public or in the private subnets, behind this security group."""
        return {
            "awsvpcConfiguration": {
                "subnets": list(self.public if public else self.private),
                "securityGroups": [group or self.security_group],
                "assignPublicIp": "ENABLED" if public else "DISABLED",
            }
        }


def network(ec2: EC2Client, *, ipv6: bool = False) -> Network:
    """Make the VPC; dual-stack if asked."""
    vpc = ec2.create_vpc(CidrBlock=VPC, AmazonProvidedIpv6CidrBlock=ipv6)["Vpc"]
    block = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"] if ipv6 else ""
    subnets: dict[str, str] = {}
    for number, (name, zone, cidr) in enumerate(_SUBNETS):
        more: dict[str, Any] = {"Ipv6CidrBlock": block.replace("00::/56", f"0{number}::/64")} if ipv6 else {}
        made = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock=cidr, AvailabilityZone=zone, **more)
        subnets[name] = made["Subnet"]["SubnetId"]
    laid = Network(
        vpc=vpc["VpcId"],
        public=(subnets["public-a"], subnets["public-b"]),
        private=(subnets["private-a"], subnets["private-b"]),
        security_group=_group(ec2, vpc["VpcId"], "tasks"),
        balancer_group=_group(ec2, vpc["VpcId"], "balancers"),
    )
    _lay_routes(ec2, laid, ipv6=ipv6)
    return laid


def open_group(ec2: EC2Client, network: Network, name: str, *ports: int) -> str:
    """Make a security group that lets the whole internet in to these ports: something to audit. Its id."""
    group = _group(ec2, network.vpc, name)
    for port in ports:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[world_to(port)])
    return group


def world_to(port: int) -> IpPermissionTypeDef:
    """The rule that lets everybody in to a port."""
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
    }


def _group(ec2: EC2Client, vpc: str, name: str) -> str:
    group = ec2.create_security_group(GroupName=name, Description=f"The farm's {name}", VpcId=vpc)
    return group["GroupId"]


def _lay_routes(ec2: EC2Client, network: Network, *, ipv6: bool) -> None:
    """An internet gateway, and a route to it from the public subnets only."""
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    out = _route_table(ec2, network.vpc, network.public)
    _route_table(ec2, network.vpc, network.private)
    ec2.create_route(RouteTableId=out, GatewayId=gateway, DestinationCidrBlock="0.0.0.0/0")
    if ipv6:
        ec2.create_route(RouteTableId=out, GatewayId=gateway, DestinationIpv6CidrBlock="::/0")


def _route_table(ec2: EC2Client, vpc: str, subnets: tuple[str, ...]) -> str:
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return table


def task_definition(
    ecs: ECSClient,
    family: str,
    *,
    ports: tuple[int, ...] = (PORT,),
    mode: str = "awsvpc",
    host_port: int = 0,
    checked: bool = False,
    container: Mapping[str, Any] | None = None,
) -> str:
    """Register a revision with one container, and return its ARN. `host_port` 0 leaves it to the host."""
    mappings = [
        {"containerPort": port} | ({"hostPort": host_port} if mode == "bridge" else {}) for port in ports
    ]
    web: dict[str, Any] = {
        "name": "web",
        "image": f"{family}:latest",
        "essential": True,
        "memory": 256,
        "portMappings": mappings,
        **(container or {}),
    }
    if checked:
        web["healthCheck"] = {"command": ["CMD-SHELL", f"curl -f http://localhost:{ports[0]}/"]}
    made = ecs.register_task_definition(
        family=family,
        networkMode="bridge" if mode == "bridge" else "host" if mode == "host" else "awsvpc",
        requiresCompatibilities=["FARGATE", "EC2"] if mode == "awsvpc" else ["EC2"],
        cpu="256",
        memory="512",
        containerDefinitions=[web],  # type: ignore[list-item]  # built up by key
    )
    return made["taskDefinition"]["taskDefinitionArn"]
