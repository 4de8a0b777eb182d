"""The functions hold exactly the permissions that they use: every call is allowed, and every permission is needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from moto.route53.models import route53_backends

from farm.aws import ACCOUNT
from farm.farm import Farm
from farm.gate import GATE, Fault
from tests.integration.guarded import create_function
from tests.integration.world import become

NAME = "conejo.granja.animales.com"
GRANJA = "granja.animales.com"
ZONE = "Z0123456789ABC"
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}  # used by Lambda itself


def live(farm: Farm, kind: str) -> None:
    """A life in which the product does all that it can."""
    farm.add_host()
    farm.create_service("conejo", 4, tags={"expose:dns": NAME})  # enough to list operations for
    farm.create_service("gallina", 2, mode="bridge", tags={"expose:dns": f"gallina.{GRANJA}"})
    become(farm, "Active")
    become(farm, "Active", "gallina")
    if kind != "http":
        farm.tag("conejo", {"expose:dns": f"{NAME} ttl=33"})
    farm.deploy_new_revision("conejo")
    farm.run_for(130)
    stop_losing = farm.bus.lose(lambda event: True)
    farm.scale("conejo", 5)
    farm.run_for(130)
    stop_losing()
    farm.untag("gallina", "expose:dns")
    farm.run_for(60)


def meet_others(farm: Farm) -> None:
    """A name that somebody else has in Cloud Map, and a service whose making was never heard of."""
    (space,) = farm.cloudmap.list_namespaces()["Namespaces"]
    theirs = farm.cloudmap.create_service(Name="theirs", NamespaceId=space["Id"])["Service"]["Id"]
    farm.tag("gallina", {"expose:dns": f"theirs.{GRANJA}"})
    become(farm, "Blocked", "gallina")
    GATE.faults.append(
        Fault("crash", operation="CreateService", service="servicediscovery", phase="after", nth=1)
    )
    farm.tag("gallina", {"expose:dns:z": f"z.{GRANJA}"})
    farm.run_for(30)
    farm.untag("gallina", "expose:dns", "expose:dns:z")
    farm.run_for(800)
    farm.cloudmap.delete_service(Id=theirs)


def balance(farm: Farm) -> None:
    """Load balancers of both kinds, shared ones and named ones; sharing by weight, changes, and a sick task."""
    for domain in ("a.com", "b.com"):
        farm.request_certificate(domain)
    farm.create_balancer("main")
    farm.create_balancer("net", type="network")
    farm.create_target_group("lent", HealthCheckIntervalSeconds=10, HealthyThresholdCount=2)
    tags = {
        "expose:lb": "main path=/a weight=1",
        "expose:lb:n": "net:5432 weight=1",
        "expose:lb:s": "internal:443 host=a.com",
        "expose:lb:t": "internet-facing:443 protocol=TLS certificate=a.com weight=1",
        "expose:lb:l": "tg/lent",
    }
    farm.create_service("oveja", 2, tags={**tags, "expose:lb:r": "main path=/r replace=yes grace=0"})
    farm.create_service("cabra", 2, tags={**tags, "expose:lb:s": "internal:443 host=b.com"})
    for name in ("oveja", "cabra"):
        for tag in tags:
            become(farm, "Active", name, tag, limit=300)
    farm.tag("cabra", {"expose:lb": "main path=/a weight=2", "expose:lb:n": "net:5432 weight=2 drain=7"})
    farm.run_for(70)
    farm.sicken(farm.tasks("oveja")[0]["taskArn"])
    assert farm.run_until(lambda: bool(farm.published("Task Replaced")), limit=200)
    lose_answers(farm)
    for name in ("oveja", "cabra"):
        farm.untag(name, *tags, "expose:lb:r")
        farm.run_for(60)


def lose_answers(farm: Farm) -> None:
    """What was made is looked for by its mark where its making was never heard of."""
    for operation in ("CreateTargetGroup", "CreateRule"):
        GATE.faults.append(Fault("crash", operation=operation, service="elbv2", phase="after", nth=1))
    farm.tag("cabra", {"expose:lb:c": "main path=/c"})
    farm.run_for(800)
    farm.untag("cabra", "expose:lb:c")


def publish(farm: Farm) -> None:
    """Routes behind a function that judges and behind signatures, and in a REST API; some of them change. What requests
    there are is logged.
    """
    create_function(farm, "judge")
    tags = {
        "expose:api": "/orders auth=lambda function=judge rate=9",
        "expose:api:i": "/i auth=iam",
        "expose:api:r": "rest/shop/r auth=cognito pool=eu-west-1_Ab12 scopes=a",
    }
    farm.create_service("vaca", 2, tags={**tags, "expose:lb": "internal host=vaca.com"})
    for tag in tags:
        become(farm, "Active", "vaca", tag, limit=400)
    farm.tag("vaca", {"expose:api": "/orders auth=lambda function=judge rate=8 strip=yes"})
    farm.tag("vaca", {"expose:api:r": "rest/shop/r auth=iam"})
    farm.run_for(100)
    farm.untag("vaca", *tags)
    farm.run_for(600)


def list_addresses(farm: Farm) -> None:
    """With the guard, which reads all that lets anybody in, a list of prefixes among it."""
    prefixes = farm.ec2.create_managed_prefix_list(
        PrefixListName="offices", AddressFamily="IPv4", MaxEntries=1, Entries=[{"Cidr": "198.51.100.0/24"}]
    )["PrefixList"]["PrefixListId"]
    farm.ec2.authorize_security_group_ingress(
        GroupId=farm.network.security_group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "PrefixListIds": [{"PrefixListId": prefixes}]}
        ],
    )
    farm.create_service("cuervo", 2, tags={"expose:ip": "8080 guard=enforce"})
    become(farm, "Active", "cuervo", "expose:ip")
    be_audited(farm)
    farm.untag("cuervo", "expose:ip")
    farm.run_for(60)


def be_audited(farm: Farm) -> None:
    """Untagged tasks, a port that opens under a guarded service, and a record that leads to where a task once was."""
    zone = hosted_zone(farm)
    former = farm.addresses("cuervo")[0]
    farm.create_service("zorro", 1)
    farm.deploy_new_revision("cuervo")
    farm.run_for(130)
    record = {"Name": "old.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": former}]}
    for action in ("CREATE", "DELETE"):
        changes = [{"Action": action, "ResourceRecordSet": record}]
        farm.client("route53").change_resource_record_sets(
            HostedZoneId=zone, ChangeBatch={"Changes": changes}
        )
        farm.run_for(130)
    farm.ec2.authorize_security_group_ingress(
        GroupId=farm.network.security_group, CidrIp="0.0.0.0/0", IpProtocol="tcp", FromPort=22, ToPort=22
    )
    assert farm.lambdas is not None
    farm.lambdas.invoke("audit", {})  # before the verification finds it
    become(farm, "Blocked", "cuervo", "expose:ip", limit=300)
    farm.delete_service("zorro")
    farm.run_for(300)


def hosted_zone(farm: Farm) -> str:
    """The one that the stack watches."""
    made = farm.client("route53").create_hosted_zone(Name="old.com", CallerReference="farm")
    zones = route53_backends[ACCOUNT]["aws"].zones
    zone = zones.pop(made["HostedZone"]["Id"].rpartition("/")[2])
    zone.resource_id, zones[ZONE] = ZONE, zone
    return ZONE


LIVES: dict[str, tuple[Callable[[Farm], None], ...]] = {
    "public": (partial(live, kind="public"), meet_others),
    "private": (partial(live, kind="private"),),
    "http": (partial(live, kind="http"),),
    "no": (balance, publish, list_addresses),
}
"""By the kind of namespace that the stack may make."""


@pytest.fixture(scope="module")
def unused() -> set[tuple[str, str]]:
    """What no life needed, in stacks that may make each kind of namespace, and any load balancer."""
    left: list[set[tuple[str, str]]] = []
    for kind, chapters in LIVES.items():
        parameters = {
            "CreateNamespaces": kind,
            "CreateLoadBalancers": "any",
            "AllowedLoadBalancers": "internal,internet-facing,main,net,tg/lent",
            "AllowedFunctions": "judge",
            "AllowedIssuers": "eu-west-1_Ab12",
            "ApiAccessLogs": "yes",
            "GraceSeconds": "0",
            "VerifyMinutes": "1",
            "AuditMinutes": "2",
            "AuditAll": "yes",
            "GuardZones": ZONE,
        }
        with Farm.virtual(parameters=parameters) as farm:
            for chapter in chapters:
                chapter(farm)
            assert farm.iam is not None
            denied = [call for call in farm.calls() if call.caller != "user" and "Denied" in call.error]
            assert denied == []
            farm.delete_stack()
            left.append({(function, action) for function, action in farm.iam.unused() if action not in LOGS})
    return set.intersection(*left)


def test_no_function_may_do_what_it_never_does(unused: set[tuple[str, str]]) -> None:
    assert unused == set()
