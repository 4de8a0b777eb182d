"""The layer's modules and a handler's once more, so that each execution environment has its own: nothing is shared.

Importing the product takes a fifth of a second. So a copy is used again after its environment has died, also by the next
farm of the process, once it is as fresh as after its import: module and class variables, what containers hold, caches.
Only the clients stay, which take long to make and know nothing but AWS's models.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from botocore.retries.quota import RetryQuota

from farm.guise import exchange, is_own
from farm.sandbox import Handler, load

_KEPT = {("expose.bootstrap", "_clients")}
_quotas: weakref.WeakSet[RetryQuota] = weakref.WeakSet()


def mend() -> None:
    """Compile the layer once. And know of every client's quota of retries, to refill it for the next farm."""
    loader: Any = SourceFileLoader
    get_code = loader.get_code
    compiled = functools.cache(get_code)
    loader.get_code = lambda own, name: (compiled if is_own(name) else get_code)(own, name)

    quota: Any = RetryQuota
    made = quota.__init__

    def init(new: Any, *args: Any, **kwargs: Any) -> None:
        made(new, *args, **kwargs)
        _quotas.add(new)

    quota.__init__ = init


def refill() -> None:
    """Let every client repeat calls as if it were new."""
    for quota in list(_quotas):
        vars(quota)["_available_capacity"] = vars(quota)["_max_capacity"]


class Copy:
    """One set of modules, and the handler in it."""

    def __init__(self, module_path: Path, handler: str) -> None:
        before = exchange({})
        try:
            self.handler: Handler = load(module_path, handler)
        finally:
            self.modules = exchange(before)
        self._fresh_modules = dict(self.modules)
        modules = [*self.modules.values(), sys.modules[self.handler.__module__]]
        self._fresh = [_Fresh(owner) for module in modules for owner in _owners(module)]
        self._caches = [cache for fresh in self._fresh for cache in fresh.caches()]

    def renew(self) -> None:
        """Have it forget all that it has seen since it was imported."""
        self.modules = dict(self._fresh_modules)
        for fresh in self._fresh:
            fresh.restore()
        for clear in self._caches:
            clear()


class Pool:
    """Copies that no environment uses at present, for all farms of the process."""

    def __init__(self) -> None:
        self._idle: dict[tuple[Path, str], list[Copy]] = defaultdict(list)

    def take(self, module_path: Path, handler: str) -> Copy:
        idle = self._idle[module_path, handler]
        if not idle:
            return Copy(module_path, handler)
        copy = idle.pop()
        copy.renew()
        return copy

    def give_back(self, copy: Copy, module_path: Path, handler: str) -> None:
        self._idle[module_path, handler].append(copy)


POOL = Pool()


class _Fresh:
    """What a module or a class held when it was new."""

    def __init__(self, owner: ModuleType | type) -> None:
        self._owner = owner
        self._names = {name: value for name, value in vars(owner).items() if not name.startswith("__")}
        self._contents = [
            (value, type(value)(value)) for value in self._names.values() if type(value) in {dict, list, set}
        ]

    def restore(self) -> None:
        held = vars(self._owner)
        for name in [name for name in held if name not in self._names and not name.startswith("__")]:
            delattr(self._owner, name)
        for name, value in self._names.items():
            if held.get(name) is not value:
                setattr(self._owner, name, value)
        for container, content in self._contents:
            container.clear()
            (container.extend if isinstance(container, list) else container.update)(content)

    def caches(self) -> Iterator[Callable[[], None]]:
        for name, value in self._names.items():
            clear = getattr(getattr(value, "__func__", value), "cache_clear", None)
            if clear and (self._owner.__name__, name) not in _KEPT:
                yield clear


def _owners(module: ModuleType) -> Iterator[ModuleType | type]:
    """The module and its own classes."""
    yield module
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield value
