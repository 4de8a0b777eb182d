"""Several farms on one machine share its loopback addresses: each on the clock takes a plot of them for itself.

A plot is claimed by holding a socket, so that it is free again when the farm's process ends, however it ends. The first
farm gets the first plot, with the addresses that the documentation shows.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from moto.ec2 import ec2_backends

from farm.aws import ACCOUNT, REGION
from farm.aws.addresses import addresses
from farm.seed import Network

_PLOTS = 16
_PUBLIC, _PRIVATE = 4096, 250  # addresses a plot: of 127.30.0.0/16, of each subnet
_CLAIM_PORT = 8099


@contextlib.contextmanager
def plot() -> Iterator[int]:
    """The number of a plot that nobody else has. OSError if all are taken."""
    with socket.socket() as claim:
        for number in range(_PLOTS):
            try:
                claim.bind((f"127.30.255.{number + 1}", _CLAIM_PORT))
            except OSError:
                continue
            yield number
            return
        raise OSError(f"{_PLOTS} farms run on this machine already")


def settle_on(number: int, network: Network) -> None:
    """From now on tasks get their addresses from this plot."""
    pool = addresses(ec2_backends[ACCOUNT][REGION])
    pool.fresh = number * _PUBLIC
    pool.last |= dict.fromkeys((*network.public, *network.private), number * _PRIVATE - 1)
