"""Resources that exposures use together: a part of the ledger's table, under SHARED#<kind>/<key>.

    used_by               marks of the exposures that use it; when the last one has left, it is removed
    part:<mark>           what each of them adds to it, such as its target group in the forward of a rule
    empty_since           when the last one left
    aws_id, address       what AWS calls it, once it is made; `made_at` is when
    maker, making_since   who makes it, and since when; both go when it is known whether it was made
    closing, closing_until  who removes it, and until when nobody else may join
    removing_since        when a removal began; goes when AWS says that it did not happen
    rest_until            after AWS refused to remove it: until when it is not asked again; `refusals` counts,
                          `refusal` and `refusal_code` say why

A function may die between any two calls, and a call that AWS did not answer may take effect late. So whoever makes or
removes something says so before, and keeps others out for `LEASE` seconds at most. What may have been made is looked
for by its mark before it is made again; what may have been removed is looked at before it is used again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from expose.aws import Clients, throttled
from expose.common import LEASE, PART, Common, common
from expose.deadline import OutOfTime
from expose.model import Identity
from expose.refusals import Lingering, NotYet, Refused
from expose.table import Table, number, number_in, text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import UniversalAttributeValueTypeDef

    from expose.table import Item, Values

ACTIONS = frozenset({"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"})


_LISTED = 30.0  # seconds after which what was made is seen by everybody: what is not seen then is gone
_WAITS = (2.0, 15.0)  # seconds between two looks at what another one makes: at first, and at most
_AGAIN = (60.0, 900.0)  # seconds before a refused removal is tried again: at first, and at most

_LINGERS = "RemovalRefused"
_OPEN = "REMOVE empty_since, closing, closing_until, rest_until, refusals, refusal, refusal_code"
_MAY_JOIN = "attribute_not_exists(closing_until) OR closing_until < :now OR closing = :mark"
_MAY_MAKE = (
    "attribute_not_exists(aws_id) AND (attribute_not_exists(making_since) OR making_since < :expired"
    " OR (maker = :mark AND making_since = :now))"  # so it is after an answer of DynamoDB that was lost
)
_MAY_CLOSE = (
    "attribute_not_exists(used_by)"
    " AND (attribute_not_exists(making_since) OR making_since < :expired)"
    " AND (attribute_not_exists(rest_until) OR rest_until <= :now)"
    " AND (attribute_not_exists(closing_until) OR closing_until < :now OR closing = :mark)"
)
_CLOSED = "attribute_exists(closing)"
_MAY_DROP = (
    "attribute_not_exists(used_by) AND attribute_not_exists(making_since)"
    " AND (attribute_not_exists(aws_id) OR aws_id = :id)"
)


class Shared:
    def __init__(self, clients: Clients, table: str, clock: Callable[[], float]) -> None:
        self._table = Table(clients, table)
        self._clock = clock

    def join(self, shared: Identity, mark: str) -> Common:
        """Use it. Raise `NotYet` while it is being removed."""
        return self._join(shared, f"ADD used_by :marks {_OPEN}", mark, {})

    def take_part(self, shared: Identity, mark: str, part: str) -> Common:
        """Use it and say what one adds to it; safe to repeat, and to say something else."""
        change = f"SET #part = :part ADD used_by :marks {_OPEN}"
        return self._join(shared, change, mark, {":part": {"S": part}}, names={"#part": f"{PART}{mark}"})

    def look(self, shared: Identity) -> Common:
        """As it is now; as never made where nobody uses it."""
        return common(self._table.read(_key(shared)), self._clock())

    @contextmanager
    def making(self, shared: Identity, mark: str) -> Iterator[None]:
        """Be the only one that makes it. Raise `NotYet` while another may be at it.

        Where AWS says that nothing was made, another may try at once; where it did not say, nobody before the lease ends.
        """
        now = self._clock()
        change = "SET maker = :mark, making_since = :now"
        if self._change(shared, change, _MAY_MAKE, mark=mark, now=now, expired=now - LEASE) is None:
            raise self._being_made(shared, mark)
        try:
            yield
        except Exception as error:
            if _answered(error):
                mine = "maker = :mark AND making_since = :now"
                self._change(shared, "REMOVE maker, making_since", mine, mark=mark, now=now)
            raise

    def made(self, shared: Identity, aws_id: str, address: str = "") -> None:
        change = "SET aws_id = :id, address = :address, made_at = :now REMOVE maker, making_since"
        unless = "attribute_not_exists(aws_id) OR aws_id = :id"
        self._change(shared, change, unless, id=aws_id, address=address, now=self._clock())

    def changed(self, shared: Identity, before: str, aws_id: str, address: str) -> None:
        """It has another id, or another address."""
        change = "SET aws_id = :id, address = :address"
        self._change(shared, change, "aws_id = :before", before=before, id=aws_id, address=address)

    def failed(self, shared: Identity, *, since: float) -> None:
        """AWS says that making it, which somebody had begun before `since`, came to nothing."""
        self._change(shared, "REMOVE maker, making_since", "making_since <= :since", since=since)

    def gone(self, shared: Identity, aws_id: str) -> None:
        """It is known not to be there any more, or to be of no use: whoever needs it makes it anew."""
        self._change(shared, "REMOVE aws_id, removing_since", "aws_id = :id", id=aws_id)

    def lost(self, shared: Identity, aws_id: str) -> None:
        """AWS does not show it: as `gone`, unless it was made only just now."""
        seen = "aws_id = :id AND (attribute_not_exists(made_at) OR made_at < :seen)"
        self._change(shared, "REMOVE aws_id, removing_since", seen, id=aws_id, seen=self._clock() - _LISTED)

    def leave(self, shared: Identity, mark: str) -> Common:
        """Stop using it. What nobody knows of is not in use, and has not been for ever so long."""
        known, gone = "attribute_exists(pk)", {":marks": {"SS": [mark]}}
        item = self._table.update(_key(shared), "DELETE used_by :marks", gone, condition=known)
        if item and "used_by" not in item:
            change = "SET empty_since = if_not_exists(empty_since, :now)"
            item = self._change(shared, change, known, now=self._clock())
        return common(item or {}, self._clock())

    def withdraw(self, shared: Identity, mark: str) -> Common:
        """Take one's part out of it; what the others have in it."""
        change, gone = "REMOVE #part DELETE used_by :marks", {":marks": {"SS": [mark]}}
        item = self._table.update(_key(shared), change, gone, names={"#part": f"{PART}{mark}"})
        return common(item or {}, self._clock())

    def close(self, shared: Identity, mark: str) -> bool:
        """Let nobody join, because it is about to be removed. False where somebody uses it.

        Raise `NotYet` while another removes it, or may be making it; `Lingering` while a refusal is not long ago enough.
        """
        now = self._clock()
        change = (
            "SET closing = :mark, closing_until = :until, removing_since = :now REMOVE maker, making_since"
        )
        times = {"now": now, "expired": now - LEASE, "until": now + LEASE}
        if self._change(shared, change, _MAY_CLOSE, mark=mark, **times) is not None:
            return True
        item = self._table.read(_key(shared))
        if "used_by" in item:
            return False
        raise self._stays(shared, item)

    @contextmanager
    def removal(self, shared: Identity) -> Iterator[None]:
        """Where it is not removed, it may be joined again at once, and is removed later, if still nobody uses it.

        Raise `Lingering` where AWS refuses. Where AWS does not answer, it may still be removed.
        """
        try:
            yield
        except OutOfTime:
            self._change(shared, "REMOVE closing, closing_until, removing_since", _CLOSED)
            raise
        except NotYet as reason:
            self._rest(shared, reason.message, seconds=reason.seconds)
            raise
        except Exception as error:
            if isinstance(error, ClientError) and _answered(error) and not throttled(error):
                raise self.refused(shared, str(error)) from error
            sure = ", removing_since" if _answered(error) else ""
            self._change(shared, f"REMOVE closing, closing_until{sure}", _CLOSED)
            raise

    def refused(self, shared: Identity, words: str) -> Lingering:
        """AWS says, in these words, that it was not removed."""
        problem = (
            f"nobody uses {shared} any more, but AWS does not remove it: {words}. See to what stands in the way, or delete "
            "it yourself: it is tried again every few minutes, and whoever needs it may use it meanwhile"
        )
        self._rest(shared, problem, seconds=_AGAIN[0], reason=_LINGERS)
        return Lingering(_LINGERS, problem)

    def drop(self, shared: Identity, aws_id: str) -> None:
        """It is seen gone: the next one who needs it makes it anew, and so does whoever has joined meanwhile."""
        if not self._table.delete(_key(shared), {":id": text(aws_id)}, condition=_MAY_DROP):
            self.gone(shared, aws_id)

    def _rest(self, shared: Identity, words: str, *, seconds: float, reason: str = "") -> None:
        """Each time for longer, until somebody joins."""
        count = int(number_in(self._table.read(_key(shared)), "refusals"))
        pause = min(seconds * 2 ** min(count, 10), _AGAIN[1])
        change = (
            "SET rest_until = :rest, refusal = :words, refusal_code = :reason"
            " REMOVE closing, closing_until, removing_since ADD refusals :one"
        )
        rest = self._clock() + pause
        self._change(shared, change, _CLOSED, rest=rest, words=words, reason=reason, one=1)

    def _being_made(self, shared: Identity, mark: str) -> NotYet:
        item, now = self._table.read(_key(shared)), self._clock()
        first, longest = _WAITS
        pause = min(max(first, now - number_in(item, "making_since")), longest)
        if item.get("maker", {}).get("S") == mark:
            return NotYet(f"AWS has not said whether it has made {shared}", seconds=pause)
        return NotYet(f"another service is just making {shared}", seconds=pause)

    def _stays(self, shared: Identity, item: Item) -> NotYet | Lingering:
        """Why it cannot be removed now, though nobody uses it."""
        now = self._clock()
        if (left := number_in(item, "making_since") + LEASE - now) >= 0:
            return NotYet(f"AWS has not said whether it has made {shared}", seconds=min(left + 1, _WAITS[1]))
        if (left := number_in(item, "rest_until") - now) > 0:
            words, reason = item["refusal"]["S"], item["refusal_code"]["S"]
            return Lingering(reason, words) if reason else NotYet(words, seconds=left)
        return NotYet(f"another service is removing {shared}", seconds=_WAITS[0])

    def _join(
        self, shared: Identity, change: str, mark: str, more: Values, names: Mapping[str, str] | None = None
    ) -> Common:
        said = {":marks": {"SS": [mark]}, ":mark": text(mark), ":now": number(self._clock()), **more}
        item = self._table.update(_key(shared), change, said, condition=_MAY_JOIN, names=names)
        if item is None:
            raise NotYet(f"{shared} is being removed", seconds=10)
        return common(item, self._clock())

    def _change(self, shared: Identity, change: str, condition: str, **values: float | str) -> Item | None:
        """None where the condition does not hold."""
        said = {f":{name}": _value(each) for name, each in values.items()}
        return self._table.update(_key(shared), change, said, condition=condition)


def _answered(error: Exception) -> bool:
    """Whether it is sure that AWS did nothing: it said so, or was not asked."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status < 500
    return isinstance(error, (NotYet, Refused, ConnectTimeoutError, EndpointConnectionError))


def _key(shared: Identity) -> Values:
    return {"pk": text(f"SHARED#{shared}"), "sk": text("SHARED")}


def _value(of: float | str) -> UniversalAttributeValueTypeDef:
    return text(of) if isinstance(of, str) else number(of)
