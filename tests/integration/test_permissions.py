"""The functions hold exactly the permissions that they use: every call is allowed, and every permission is needed."""

from __future__ import annotations

import pytest

from farm.farm import Farm
from farm.gate import GATE, Fault
from tests.integration.world import become

NAME = "conejo.granja.animales.com"
GRANJA = "granja.animales.com"
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}  # used by Lambda itself


def live(farm: Farm, kind: str) -> None:
    """A life in which the product does all that it can."""
    farm.add_host()
    farm.create_service("conejo", 2, tags={"expose:dns": NAME})
    farm.create_service("gallina", 2, mode="bridge", tags={"expose:dns": f"gallina.{GRANJA}"})
    become(farm, "Active")
    become(farm, "Active", "gallina")
    if kind != "http":
        farm.tag("conejo", {"expose:dns": f"{NAME} ttl=33"})
    farm.deploy_new_revision("conejo")
    farm.run_for(130)
    stop_losing = farm.bus.lose(lambda event: True)
    farm.scale("conejo", 3)
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


@pytest.fixture(scope="module")
def unused() -> set[tuple[str, str]]:
    """What no life needed, in stacks that may make each kind of namespace."""
    left: list[set[tuple[str, str]]] = []
    for kind in ("public", "private", "http"):
        parameters = {"CreateNamespaces": kind, "GraceSeconds": "0", "VerifyMinutes": "1"}
        with Farm.virtual(parameters=parameters) as farm:
            live(farm, kind)
            if kind == "public":
                meet_others(farm)
            assert farm.iam is not None
            denied = [call for call in farm.calls() if call.caller != "user" and "Denied" in call.error]
            assert denied == []
            farm.delete_stack()
            left.append({(function, action) for function, action in farm.iam.unused() if action not in LOGS})
    return set.intersection(*left)


def test_no_function_may_do_what_it_never_does(unused: set[tuple[str, str]]) -> None:
    assert unused == set()
