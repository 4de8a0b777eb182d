"""Which stack is asked: its settings are those of its reconcile function, so both decide alike."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated

import boto3
import typer
from botocore.exceptions import ClientError

from expose.aws import Clients, code
from expose.bootstrap import Parts
from expose.cli.story import Story
from expose.cli.telling import story
from expose.cli.trouble import Trouble
from expose.settings import Settings, setting

_FUNCTION = "Reconcile"  # its logical id in template.yaml

Stack = Annotated[
    str, typer.Option("--stack", envvar="EXPOSE_STACK", help="The name of the CloudFormation stack.")
]
Region = Annotated[
    str | None,
    typer.Option("--region", help="The Region of the stack; that of your AWS settings if not said."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Target = Annotated[
    str, typer.Argument(metavar="CLUSTER/SERVICE", help="The ECS service, such as granja/conejo, or its ARN.")
]

DEFAULT = "ecs-expose"


def parts_of(stack: str, region: str | None, parameters: Mapping[str, str] | None = None) -> Parts:
    """Of the stack as it is, or as it would be with these parameters. Raise `Trouble` where there is no such stack, where it
    is not of this version, or where its parameters may not be so.
    """
    session = boto3.Session(region_name=region)
    clients = Clients(session)
    try:
        found = clients.cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=_FUNCTION)
    except ClientError as error:
        if code(error) != "ValidationError":
            raise
        raise Trouble(
            f"no stack of ecs-expose is called {stack!r} in {session.region_name}: say which with --stack and --region"
        ) from error
    name = found["StackResourceDetail"].get("PhysicalResourceId", "")
    answer = clients.lambda_.get_function_configuration(FunctionName=name)
    environment = answer.get("Environment", {}).get("Variables", {})
    try:
        known = {key: str(value) for key, value in environment.items()}
        settings = Settings.read(setting(known, parameters or {}))
    except KeyError as missing:
        raise Trouble(
            f"stack {stack!r} was deployed from another version than this command, it does not know {missing.args[0]}: "
            "deploy it anew, or install the command of its version"
        ) from missing
    except ValueError as problem:
        raise Trouble(str(problem)) from problem
    return Parts(settings, clients)


def story_of(
    target: str, stack: str, region: str | None, parameters: Mapping[str, str] | None = None
) -> Story:
    """A service's story as it is now, or would be with these parameters."""
    parts = parts_of(stack, region, parameters)
    seen = parts.inspector.inspect(parts.inspector.find(*split(target)))
    return story(seen, prefix=parts.settings.prefix, now=time.time())


def stories(stack: str, region: str | None, parameters: Mapping[str, str]) -> list[Story]:
    """Of all services that the ledger knows, as it knows them."""
    parts = parts_of(stack, region, parameters)
    return [
        story(seen, prefix=parts.settings.prefix, now=time.time()) for seen in parts.inspector.remembered()
    ]


def split(target: str) -> tuple[str, str]:
    """Cluster and service. Raise `Trouble` for what names neither."""
    cluster, slash, name = target.rpartition(":service/")[2].partition("/")
    if not slash or not cluster or not name or "/" in name:
        raise Trouble(f"expected CLUSTER/SERVICE such as granja/conejo, got {target!r}")
    return cluster, name
