# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Shares one worker process between all users of the same settings in a Python process."""

from __future__ import annotations

import atexit
import collections
import contextlib
import json
import os
import threading
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Optional, TypeVar

from .auspex_worker import Worker, WorkerDied, WorkerError

Result = TypeVar("Result")

PROGRAM = str(Path(__file__).with_name("auspex"))


class Settings(NamedTuple):
    """Settings of a worker, which Beam sends to the workers of the runner."""

    interface: str
    engine: str
    """Settings of the engine as JSON."""
    memory_mib: Optional[int]

    @classmethod
    def of(cls, interface: str, engine: Mapping[str, Any], memory_mib: Optional[int]) -> Settings:
        """Returns settings. ``interface`` is ``series`` or ``shard``."""
        return cls(interface, json.dumps(dict(engine), sort_keys=True), memory_mib)

    def start(self) -> Worker:
        """Starts a worker."""
        return Worker(self.interface, json.loads(self.engine), program=PROGRAM, memory_mib=self.memory_mib)

    def check(self) -> Settings:
        """Starts a worker while the pipeline is built, so that an invalid setting is an error before it runs."""
        self.start().close()
        return self


class Shared:
    """A worker process that several threads use in turn."""

    def __init__(self, settings: Settings) -> None:
        self.worker = settings.start()
        self._lock = threading.Lock()
        self._dead = False
        self._ended: collections.deque[str] = collections.deque()

    @contextlib.contextmanager
    def use(self) -> Iterator[Worker]:
        """Gives the worker to the calling thread. The worker is ended by every exception except a rejected request."""
        with self._lock:
            if self._dead:
                raise WorkerDied("it has ended, and its states with it", None, "")
            try:
                while self._ended:
                    self.worker.drop(self._ended.popleft())
                yield self.worker
            except WorkerError:
                raise
            except BaseException:
                self._dead = True
                _forget(self)
                self.worker.kill()
                raise

    def drop_later(self, key: str) -> None:
        """Forgets a key before the next use. A finalizer may call it, even while this thread uses the worker."""
        self._ended.append(key)

    def evaluate(
        self, key: str, state: Optional[bytes], call: Callable[[Worker], Result], keep: Callable[[Result], bool]
    ) -> tuple[Result, Optional[bytes]]:
        """Continues a key from its state. Returns the result of the call, and the next state if it must be kept."""
        with self.use() as worker:
            try:
                if state is not None:
                    worker.restore(key, state)
                result = call(worker)
                return result, worker.snapshot(key) if keep(result) else None
            finally:
                self.drop_later(key)


_shared: dict[tuple[int, Settings], Shared] = {}
_starting = threading.Lock()


def shared(settings: Settings) -> Shared:
    """Returns the worker of this Python process for the settings. It starts one if there is none, or if it died."""
    with _starting:
        place = os.getpid(), settings  # a forked process must not use the worker of its parent
        if place not in _shared:
            _shared[place] = Shared(settings)
        return _shared[place]


def _forget(ended: Shared) -> None:
    for place, worker in list(_shared.items()):
        if worker is ended:
            _shared.pop(place, None)


@atexit.register
def _end() -> None:
    for (process, _), worker in list(_shared.items()):
        if process == os.getpid():
            worker.worker.kill()
