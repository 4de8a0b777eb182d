"""What would answer, for farms without sockets: the same as the wire would carry, decided in an instant."""

from __future__ import annotations

import json

from farm import wire
from farm.balancers import fronts
from farm.balancers.fronts import Front
from farm.balancers.routing import Decision, Fixed, Forward, Redirect, Request, Turns, choose
from farm.gateway.deciding import Exchange, Gateway
from farm.gateway.model import Reply
from farm.gateway.refusing import RefusedError, timed_out, unavailable
from farm.tasks import Directory


class Look:
    """Answers requests by who serves where at this instant."""

    def __init__(self, gateway: Gateway, directory: Directory) -> None:
        self._gateway, self._directory, self._pick = gateway, directory, Turns()

    def answer(self, exchange: Exchange) -> wire.Message:
        """The backend's answer; the gateway's own if there is no backend, or it does not answer."""
        if exchange.own:
            return exchange.own
        try:
            return self._asked(exchange)
        except RefusedError as refusal:
            return self._gateway.refuse(exchange, refusal)

    def _asked(self, exchange: Exchange) -> wire.Message:
        forward = exchange.forward
        if forward is None:
            raise unavailable("nothing was decided")
        if isinstance(forward.to, Front):
            return self._balanced(forward.to, forward.message)
        found = self._served(forward.to.address, forward.to.port, forward.message)
        if found is None:
            raise unavailable("nobody answers")
        return found

    def _balanced(self, front: Front, message: wire.Message) -> wire.Message:
        listener = fronts.listener(front)
        if listener is None:
            raise unavailable("the listener is gone")
        method, path = message.asked
        asked = Request(message.header("Host"), path, method, dict(message.headers), front.addresses[0])
        decided = choose(listener, asked, targets=fronts.targets, pick=self._pick)
        if isinstance(decided, Forward):
            found = self._served(decided.address, decided.port, message)
            if found is None and not front.is_application:
                raise unavailable("the target does not answer")
            return found or wire.response(502)
        if not front.is_application:
            raise unavailable("there is no target")
        return _own(decided)

    def _served(self, address: str, port: int, message: wire.Message) -> wire.Message | None:
        """What the task there says; None if there is none."""
        found = self._directory.ask(address, port)
        if found is None:
            return None
        if found.status == "hang":
            raise timed_out()
        return wire.response(found.status, found.identity.page(message), "application/json")


def reply(answer: wire.Message, route: str, reason: str) -> Reply:
    """An answer as values. What a task says of itself is known by its form."""
    said = {}
    if answer.body.startswith(b"{"):
        said = json.loads(answer.body)
    return Reply(
        answer.status,
        answer.body,
        dict(answer.headers),
        service=said.get("service", ""),
        task=said.get("task", ""),
        route=route,
        reason=reason,
    )


def _own(decided: Decision) -> wire.Message:
    """What a balancer answers by itself."""
    match decided:
        case Fixed(status, content_type, body):
            return wire.response(status, body.encode(), content_type)
        case Redirect(status, location):
            return wire.response(status, b"", "text/html", ("Location", location))
    return wire.response(503)
