# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the whole engine on OTLP."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import apache_beam as beam
from apache_beam.metrics import Metrics

from . import _rows
from ._order import EvaluateInOrder
from ._worker import Settings, shared
from .auspex_worker import Worker, WorkerError

_MESSAGES = Metrics.counter("auspex", "messages")


class Finding(NamedTuple):
    """The state of an anomaly or incident after a change."""

    shard: str
    sequence: int
    """Number of the change within the shard. Of several findings with an id, the one with the highest is the last state."""
    kind: str
    """``anomaly`` or ``incident``."""
    id: str
    opened: str
    """Event time of the opening, RFC 3339."""
    json: str
    """A line of ``anomalies.jsonl`` or ``incidents.jsonl`` of ``auspex backtest otlp``."""


beam.coders.registry.register_coder(Finding, beam.coders.RowCoder)


class Shards(beam.PTransform):
    """Evaluates each shard as a collector does that receives nothing else. Returns ``Finding``.

    The input has the columns of ``Message``: ``shard``, ``signal``, ``time``, ``otlp``, and optionally ``position``.
    At the end of its window, which is the end of the data in the global window, a shard closes what is open. Of a bounded
    collection each anomaly and incident is returned once, in its last state; of an unbounded one, after each evaluation
    that changed it. ``interval``, ``memory_mib``, and ``engine`` are those of ``ScoreSeries``.

    A message that is not OTLP fails the bundle with the name of its shard and its position.
    """

    def __init__(self, *, interval: Optional[float] = None, memory_mib: Optional[int] = None, **engine: Any) -> None:
        super().__init__()
        self.interval = interval
        self.settings = Settings.of("shard", engine, memory_mib).check()

    def expand(self, messages: beam.PCollection) -> beam.PCollection[Finding]:
        return (
            messages
            | "Read columns" >> beam.Map(_read)
            | "Evaluate" >> EvaluateInOrder(_Shard(self.settings), self.interval).with_output_types(Finding)
        )


def _read(row: Any) -> tuple[str, tuple[Optional[int], Any]]:
    shard = _rows.text(row, "shard")
    return shard, (_rows.nanoseconds(row, "time"), (getattr(row, "position", ""), _rows.text(row, "signal"), _rows.binary(row, "otlp")))


class _Shard:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def sort_key(self, time: Optional[int], payload: tuple) -> tuple:
        return time or 0, payload

    def evaluate(self, shard: str, state: Optional[tuple], items: list, last: bool) -> tuple[list, Optional[tuple]]:
        saved, sequence = state or (None, 0)

        def observe(worker: Worker) -> dict:
            found: dict = {}  # the last state of each
            for _, (position, signal, otlp) in items:
                try:
                    _keep(found, worker.observe(shard, signal, otlp))
                except WorkerError as e:
                    raise WorkerError(f"{position}: {e.message}" if position else e.message, shard) from e
            if last:
                _keep(found, worker.flush(shard))
            return found

        found, saved = shared(self.settings).evaluate(shard, saved, observe, lambda _: not last)
        _MESSAGES.inc(len(items))
        outputs = [Finding(shard, sequence + i, *finding) for i, finding in enumerate(found.values())]
        return outputs, (saved, sequence + len(outputs))


def _keep(found: dict, changes: list) -> None:
    for finding in changes:
        found[finding.kind, finding.id] = finding
