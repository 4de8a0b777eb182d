"""How carrying out a plan went: what was changed, and what stood in the way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from expose.model import Identity
from expose.records import Record
from expose.refusals import Behind, Lingering, NotYet, Refused


@dataclass(slots=True)
class Outcome:
    """How it went: the record as saved, the changes made, and the first of each thing that stood in the way. `adopted`
    is what was found to be ours, and was not in the ledger. `lingering` says what is not needed and stays. `verify_at` is
    when everything has to be read again, because something may go meanwhile that is there now; 0 for no such time.
    """

    record: Record
    changes: int = 0
    refused: Refused | None = None
    failed: Exception | None = None
    waiting: NotYet | None = None
    lingering: Lingering | None = None
    withheld: str = ""
    opening: bool = False
    adopted: tuple[str, ...] = ()
    verify_at: float = 0.0
    unopened: set[Identity] = field(default_factory=set)

    @property
    def unfinished(self) -> bool:
        """Whether something that was to be opened is not open."""
        return bool(self.opening or self.refused or self.failed)

    def after(self, earlier: Outcome) -> Outcome:
        """As it is, with what an earlier attempt met; what that said comes first."""
        merged = replace(
            self,
            changes=earlier.changes + self.changes,
            refused=earlier.refused or self.refused,
            failed=earlier.failed or self.failed,
            lingering=earlier.lingering or self.lingering,
            withheld=_each_once(earlier.withheld, self.withheld),
            opening=earlier.opening or self.opening,
            adopted=(*earlier.adopted, *self.adopted),
            verify_at=max(earlier.verify_at, self.verify_at),
        )
        if earlier.waiting:
            merged.wait(earlier.waiting)
        return merged

    def wait(self, reason: NotYet) -> None:
        """Keep the reason that ends first; but one that only waits for another yields to what that one says."""
        kept = self.waiting
        sooner = kept is None or reason.seconds < kept.seconds
        if isinstance(kept, Behind) != isinstance(reason, Behind):
            sooner = isinstance(kept, Behind) or kept is None
        if sooner:
            self.waiting = reason


class Defect(Exception):  # noqa: N818 - it names what was found
    """A bug of ours met while following one exposure. Its owner is told that nothing of it changes meanwhile."""

    def __init__(self, bug: Exception) -> None:
        super().__init__(
            f"a defect in ecs-expose: {type(bug).__name__}: {bug}. Nothing of this tag changes until it is mended, but that "
            "stopped tasks leave; the function's log has more: please report it"
        )


def _each_once(*texts: str) -> str:
    """All their lines."""
    return "\n".join(dict.fromkeys(line for text in texts for line in text.splitlines()))
