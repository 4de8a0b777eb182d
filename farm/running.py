"""`make farm`: a farm with something on it, what to type to use it, and one quiet line for everything that happens."""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text
from samtranslator.yaml_helper import yaml_parse

from farm import seed, telling
from farm.account import KEY
from farm.aws import REGION
from farm.farm import Farm
from farm.gate import GATE
from farm.pace import PACES, Pace

_TEMPLATE = Path(__file__).parents[1] / "template.yaml"
SERVICES = ("conejo", "gallina")
_TICK = 0.25  # seconds between two looks at what has happened


class BadOptionError(Exception):
    """An option that cannot be followed, and what to do about it."""


def run(
    console: Console, *, port: int, dns_port: int, pace: str, empty: bool, parameters: Mapping[str, str]
) -> None:
    """Run until interrupted (KeyboardInterrupt). Raises BadOptionError."""
    speed = _pace(pace)
    _check_parameters(parameters)
    _check_free("--port", port, socket.SOCK_STREAM)
    _check_free("--dns-port", dns_port, socket.SOCK_DGRAM, socket.SOCK_STREAM)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console.print("[dim]The farm wakes up ...[/]")
    with Farm.wall(port=port, dns_port=dns_port, pace=speed, parameters=parameters) as farm:
        if not empty:
            populate(farm)
        for line in welcome(farm, empty=empty):
            console.print(line, soft_wrap=True, markup=False)
        watch(farm, console)


def populate(farm: Farm) -> None:
    """A public namespace and two services that nobody has exposed yet, with all of their tasks running; of one of them,
    the security group opens a port too many.
    """
    farm.create_namespace(seed.NAMESPACE)
    for name, ports in zip(SERVICES, ((seed.PORT,), (seed.PORT, seed.SSH)), strict=True):
        group = seed.open_group(farm.ec2, farm.network, name, *ports)
        network = farm.network.configuration(public=True, group=group)
        farm.create_service(name, 4, networkConfiguration=network)
    farm.run_until(farm.living.steady, limit=60)


def welcome(farm: Farm, *, empty: bool) -> Iterator[str]:
    """What is there, what to export, what to try."""
    yield f"The farm is awake at {farm.endpoint}: Region {REGION}, cluster {farm.cluster}, VPC {seed.VPC}."
    if farm.server:
        yield f"Its name server listens at {farm.server.address}:{farm.server.port}."
    if not empty:
        yield f"Namespace {seed.NAMESPACE}, and two services that no tag exposes yet:"
        yield from (f"  {name:8} {' '.join(farm.addresses(name))}" for name in SERVICES)
    yield "\nIn another terminal, in this directory:\n"
    yield from exports(farm)
    yield "\nThen, for example:\n"
    yield from (f"  {line}" for line in _to_try(farm))
    yield "\nCtrl-C ends it. What happens:\n"


def exports(farm: Farm) -> tuple[str, str, str]:
    """The three lines that point the `aws` command line, or any SDK, at the farm."""
    return (
        f'export PATH="{Path(sys.executable).parent}:$PATH"',
        f"export AWS_ENDPOINT_URL={farm.endpoint} AWS_DEFAULT_REGION={REGION}",
        f"export AWS_ACCESS_KEY_ID={KEY} AWS_SECRET_ACCESS_KEY={KEY}",
    )


def watch(farm: Farm, console: Console) -> None:
    """A line for each thing that happens, until interrupted. What has been told is forgotten."""
    GATE.calls.clear()
    farm.bus.log.clear()
    names: dict[str, int] = {}
    while True:
        for kind, text in telling.news(farm, names):
            clock = datetime.now().astimezone().strftime("%H:%M:%S")
            console.print(Text.assemble((f"{clock}  ", "dim"), (f"{kind:11}", "cyan"), text), soft_wrap=True)
        time.sleep(_TICK)


def _to_try(farm: Farm) -> Iterator[str]:
    arn, name = farm.arn("conejo"), f"conejo.{seed.NAMESPACE}"
    more = f" --port {farm.server.port}" if farm.server and farm.server.port != 5353 else ""
    dig = f"python -m farm dig {name}{more}"
    yield f"aws ecs tag-resource --resource-arn {arn} --tags key=expose:dns,value={name}"
    yield dig
    yield f"curl http://$({dig} | head -1):{seed.PORT}/"
    yield f"aws ecs update-service --cluster {farm.cluster} --service conejo --desired-count 6"
    yield f"aws ecs update-service --cluster {farm.cluster} --service conejo --force-new-deployment"
    first = f"aws ecs list-tasks --cluster {farm.cluster} --service-name conejo --query 'taskArns[0]' --output text"
    yield f"aws ecs stop-task --cluster {farm.cluster} --task $({first})"
    yield f"aws ecs untag-resource --resource-arn {arn} --tag-keys expose:dns"
    other = farm.arn("gallina")
    yield f'aws ecs tag-resource --resource-arn {other} --tags "key=expose:ip,value={seed.PORT}"'
    yield "expose status; expose findings    # what is open there and was not declared, minutes later"
    if farm.setup.parameters.get("CreateLoadBalancers") not in {"internal", "any"}:
        yield 'make farm ARGS="--parameter CreateLoadBalancers=any"    # in place of this one, for this:'
    yield f'aws ecs tag-resource --resource-arn {arn} --tags "key=expose:lb,value=internal:8000 host={name}"'
    yield "LB=$(aws elbv2 describe-load-balancers --query 'LoadBalancers[0].DNSName' --output text)"
    yield f"curl -H 'Host: {name}' http://$(python -m farm dig $LB{more} | head -1):8000/"


def _pace(name: str) -> Pace:
    if name not in PACES:
        raise BadOptionError(f"no such pace as {name!r}; --pace takes one of {', '.join(PACES)}")
    return PACES[name]


def _check_parameters(given: Mapping[str, str]) -> None:
    """CloudFormation would refuse these; the farm's takes anything."""
    declared = yaml_parse(_TEMPLATE.read_text())["Parameters"]
    for name, value in given.items():
        if name not in declared:
            raise BadOptionError(f"no such parameter as {name}; --parameter takes {', '.join(declared)}")
        if value not in declared[name].get("AllowedValues", [value]):
            raise BadOptionError(f"{name}={value}: expected {declared[name]['ConstraintDescription']}")


def _check_free(option: str, port: int, *kinds: socket.SocketKind) -> None:
    for kind in kinds:
        with socket.socket(type=kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise BadOptionError(
                    f"port {port} is not free ({error.strerror}); choose another with {option}"
                ) from error
