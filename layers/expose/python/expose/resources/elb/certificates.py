"""Certificates on the TLS listeners of our own ALBs: one for each that a tag's names need, chosen by the client's SNI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from expose.aws import Clients
from expose.model import Owned, Resource, fingerprint
from expose.resources.elb.mark import quotas
from expose.resources.kind import Ids, Made


class Certificates:
    ACTIONS = frozenset(
        {
            "elasticloadbalancing:AddListenerCertificates",
            "elasticloadbalancing:DescribeListenerCertificates",
            "elasticloadbalancing:RemoveListenerCertificates",
        }
    )

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        entries = list(owned)
        listeners = {entry.identity: entry.aws_id for entry in entries}
        for entry in entries:
            listener = listeners.get(entry.parents[0], "") if entry.identity.kind == "elb.certificate" else ""
            if listener and entry.aws_id in self._held(listener):
                yield Owned(
                    entry.identity,
                    fingerprint({"certificate": entry.aws_id}),
                    entry.aws_id,
                    refs=entry.refs,
                    shared=True,
                )

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Adding one that is there already changes nothing."""
        certificate = resource.spec["certificate"]
        with quotas():
            self._clients.elbv2.add_listener_certificates(
                ListenerArn=ids["listener"], Certificates=[{"CertificateArn": certificate}]
            )
        return Made(certificate)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        certificate = owned.identity.key.partition("#")[2]
        return certificate if ids.get("listener") and certificate in self._held(ids["listener"]) else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        if not ids.get("listener") or aws_id not in self._held(ids["listener"]):
            return ""
        elb = self._clients.elbv2
        try:
            elb.remove_listener_certificates(
                ListenerArn=ids["listener"], Certificates=[{"CertificateArn": aws_id}]
            )
        except (
            elb.exceptions.ListenerNotFoundException,
            elb.exceptions.OperationNotPermittedException,  # the default one goes with its listener
        ):
            return ""
        return ""

    def _held(self, listener: str) -> set[str]:
        elb = self._clients.elbv2
        try:
            pages = list(elb.get_paginator("describe_listener_certificates").paginate(ListenerArn=listener))
        except elb.exceptions.ListenerNotFoundException:
            return set()
        return {each.get("CertificateArn", "") for page in pages for each in page["Certificates"]}
