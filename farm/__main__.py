"""`python -m farm`: run the farm until interrupted, ask its name server, or see the demo."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, NoReturn

import dns.exception
import dns.name
import dns.rcode
import dns.rdatatype
import typer
from rich.console import Console

from farm.dns import ask

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
_console = Console(highlight=False)

Port = Annotated[int, typer.Option(help="Port of the AWS endpoint on 127.0.0.1.")]
DnsPort = Annotated[int, typer.Option(help="Port of the name server on 127.0.0.1, UDP and TCP.")]


@app.command()
def run(
    port: Port = 5566,
    dns_port: DnsPort = 5353,
    pace: Annotated[str, typer.Option(help="How fast ECS is: real, demo, fast or instant.")] = "demo",
    empty: Annotated[
        bool, typer.Option("--empty", help="No namespace and no services to begin with.")
    ] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE: a parameter of the product's stack. May be given several times."),
    ] = None,
) -> None:
    """Run a pocket AWS on loopback until interrupted."""
    running = importlib.import_module("farm.running")  # `dig` need not wait for moto

    try:
        running.run(
            _console, port=port, dns_port=dns_port, pace=pace, empty=empty, parameters=_pairs(parameter or [])
        )
    except running.BadOptionError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _console.print("\n[dim]The farm sleeps.[/]")


@app.command()
def dig(
    name: Annotated[str, typer.Argument(help="The name to ask for.")],
    kind: Annotated[str, typer.Argument(metavar="[TYPE]", help="A, AAAA, SRV, CNAME, SOA ...")] = "A",
    port: DnsPort = 5353,
) -> None:
    """Ask the farm's name server, and print what it answers as `dig +short` would."""
    try:
        response = ask(name, kind.upper(), "127.0.0.1", port)
    except (
        dns.rdatatype.UnknownRdatatype,
        dns.exception.SyntaxError,
        dns.name.LabelTooLong,
        dns.name.EmptyLabel,
    ):
        _fail(f"{name} {kind}: not a name and a type that can be asked for")
    except (dns.exception.Timeout, OSError):
        _fail(
            f"no name server answers at 127.0.0.1:{port}; is the farm running, and is --port its --dns-port?"
        )
    if response.rcode() == dns.rcode.REFUSED:
        _fail(f"{name}: the farm's name server is in charge of no zone with this name")
    for rrset in response.answer:
        for rdata in rrset:
            typer.echo(rdata.to_text())


@app.command()
def demo(fast: Annotated[bool, typer.Option("--fast", help="In a hurry.")] = False) -> None:
    """The main job on the farm, as it happens, with a verdict."""
    sys.exit(importlib.import_module("farm.demo").main(fast=fast))


@app.command()
def figures(
    seeds: Annotated[int, typer.Option(help="How often each kind of rotation is measured.")] = 20,
    runs: Annotated[int, typer.Option(help="Rolling deployments under traffic, of each kind.")] = 10,
    wall: Annotated[int, typer.Option(help="The same on the wall clock; half a minute each.")] = 3,
) -> None:
    """What rotations and a minute at rest cost, how long things take, and what is lost on the way."""
    measured = importlib.import_module("farm.figures")
    wide = Console(highlight=False, width=150)
    for table in measured.tables(seeds=seeds, runs=runs, wall=wall):
        wide.print(table)


def _pairs(given: list[str]) -> dict[str, str]:
    for each in given:
        if "=" not in each:
            _fail(f"--parameter takes NAME=VALUE, got {each!r}")
    return dict(each.split("=", 1) for each in given)


def _fail(text: str) -> NoReturn:
    Console(stderr=True, highlight=False).print(f"[red]error:[/] {text}", soft_wrap=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    app()
