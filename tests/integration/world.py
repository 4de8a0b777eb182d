"""How tests look at the world from outside: how an exposure stands, what Cloud Map holds, what the product did."""

from __future__ import annotations

from typing import Any

from expose.settings import setting
from farm.farm import Farm
from farm.gate import Call

WORKERS = frozenset({"reconcile", "withdraw"})
"""The functions that change what is exposed."""

LISTED = {
    "AllowedLoadBalancers": "*",
    "AllowedApis": "*",
    "AllowedFunctions": "*",
    "AllowedIssuers": "*",
}
"""Parameters of a stack that names everything of others, for tests that are about something else."""

READS = ("Get", "List", "Describe", "Discover")


def status(farm: Farm, service: str = "conejo", tag: str = "expose:dns") -> dict[str, Any]:
    """What the ledger says of an exposure: its `status`, `code` and `message`; nothing if there is none."""
    key = (f"SERVICE#{farm.arn(service)}", f"EXPOSURE#{tag}")
    return next((item for item in farm.ledger() if (item["pk"], item["sk"]) == key), {})


def restack(farm: Farm, **parameters: str) -> None:
    """The stack is updated to these parameters: every function has them from now on. Its roles stay as they are."""
    assert farm.lambdas
    client = farm.client("lambda")
    for function in farm.lambdas.deployment.functions.values():
        environment: Any = function.environment
        environment.update(setting(environment, parameters))
        told = client.get_function_configuration(FunctionName=function.name)["Environment"]["Variables"]
        changed = {"Variables": setting({name: str(value) for name, value in told.items()}, parameters)}
        client.update_function_configuration(FunctionName=function.name, Environment=changed)


def kept(farm: Farm) -> list[dict[str, Any]]:
    """What the ledger holds for as long as something is followed: all but the findings."""
    return [item for item in farm.ledger() if not item["pk"].startswith("AUDIT#")]


def become(
    farm: Farm, wanted: str, service: str = "conejo", tag: str = "expose:dns", limit: int = 120
) -> Any:
    """Let time pass until an exposure stands as wanted ("" for gone); how it stands then."""
    for _ in range(limit):
        if (found := status(farm, service, tag)).get("status", "") == wanted:
            return found
        farm.run_for(1)
    raise AssertionError(f"{service} {tag} is not {wanted or 'gone'!r} but {found}")


def cloudmap_services(farm: Farm) -> dict[str, Any]:
    """Cloud Map's services by full name."""
    spaces = {space["Id"]: space["Name"] for space in farm.cloudmap.list_namespaces()["Namespaces"]}
    ids = [service["Id"] for service in farm.cloudmap.list_services()["Services"]]
    found = [farm.cloudmap.get_service(Id=each)["Service"] for each in ids]
    return {f"{service['Name']}.{spaces[service['NamespaceId']]}": service for service in found}


def instances(farm: Farm, name: str) -> dict[str, dict[str, str]]:
    """The attributes of the instances of a name, by instance id."""
    service = cloudmap_services(farm).get(name)
    listed = farm.cloudmap.list_instances(ServiceId=service["Id"])["Instances"] if service else []
    return {each["Id"]: each["Attributes"] for each in listed}


def writes(farm: Farm, after: int = 0) -> list[Call]:
    """What the product changed, or tried to, in Cloud Map; of the calls from number `after` on."""
    calls = farm.calls()[after:]
    return [
        call
        for call in calls
        if call.service == "servicediscovery"
        and call.caller != "user"
        and not call.operation.startswith(READS)
    ]


def logged(farm: Farm, function: str = "reconcile") -> str:
    return "\n".join(farm.logs[function])
