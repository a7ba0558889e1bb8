# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the worker that the package contains."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional

from .auspex_worker import Worker


class Settings(NamedTuple):
    """Settings of a worker, which Spark sends to the executors."""

    engine: Mapping[str, Any]
    memory_mib: Optional[int]

    def start(self, interface: str) -> Worker:
        """Starts a worker of the interface ``series`` or ``shard``."""
        return Worker(interface, self.engine, program=program(), memory_mib=self.memory_mib)

    def check(self, interface: str) -> Settings:
        """Starts a worker on the driver, so that an invalid setting is an error before the job starts."""
        self.start(interface).close()
        return self


def program() -> str:
    """Returns the path of the binary in the package."""
    path = Path(__file__).with_name("auspex")
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: install the wheel auspex-spark, also on every executor")
    return str(path)
