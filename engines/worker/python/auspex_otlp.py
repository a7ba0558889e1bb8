# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads recorded OTLP in JSON, as the shards of a worker and in the order of ``auspex backtest otlp``."""

from __future__ import annotations

import collections
import json
from typing import Any, Generic, Iterator, NamedTuple, Optional, TypeVar

T = TypeVar("T")

UNKNOWN = "unknown_service"
"""Shard of resources without service.namespace and service.name."""

_SIGNALS = {"resourceMetrics": "metrics", "resourceLogs": "logs", "resourceSpans": "traces"}


class Part(NamedTuple):
    """The resources of a message that belong to one shard."""

    shard: str
    signal: str
    """``metrics``, ``logs``, or ``traces``."""
    time: Optional[int]
    """Earliest event time in nanoseconds, or None."""
    otlp: bytes


class FileOrder(Generic[T]):
    """Assigns times to the messages of one shard in one file, so that sorting several files by it keeps each in order.

    The time of a message is at least that of the message before it. A message that is more than ten minutes ahead of
    the message before it, and of one of the next four, has a wrong clock: it does not advance the time.
    """

    _FAR = 600 * 10**9
    _LOOKAHEAD = 4

    def __init__(self) -> None:
        self._due = self._latest = 0
        self._ahead: collections.deque[tuple[int, T]] = collections.deque()

    def add(self, time: Optional[int], message: T) -> Iterator[tuple[int, T]]:
        """Adds a message with its earliest event time. Returns earlier messages with their times."""
        self._ahead.append((time or 0, message))
        if len(self._ahead) > self._LOOKAHEAD:
            yield self._next()

    def end(self) -> Iterator[tuple[int, T]]:
        """Returns the remaining messages."""
        while self._ahead:
            yield self._next()

    def _next(self) -> tuple[int, T]:
        time, message = self._ahead.popleft()
        wrong = time > self._due + self._FAR and any(0 < t < time - self._FAR for t, _ in self._ahead)
        if time and (self._due == 0 or not wrong):
            self._due = time
        self._latest = max(self._latest, self._due)
        return self._latest, message


def split(text: str) -> Iterator[Part]:
    """Splits a message in JSON by the attribute service.namespace of the resource, or otherwise service.name.

    It raises ValueError if the text is not OTLP. An empty text and ``{}`` have no parts.
    """
    if not text.strip():
        return
    try:
        message = json.loads(text)
        if message == {}:
            return
        (field, resources), *_ = message.items()
        signal = _SIGNALS[field]
        parts: dict[str, list] = {}
        for resource in resources:
            parts.setdefault(_shard(resource), []).append(resource)
        times = {shard: _earliest(signal, part) for shard, part in parts.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise ValueError(f"not OTLP JSON, as the file exporter writes it: {type(e).__name__}: {e}: {text[:80]}") from e
    for shard, part in parts.items():
        whole = text if len(parts) == 1 else json.dumps({field: part}, separators=(",", ":"))
        yield Part(shard, signal, times[shard], whole.encode())


def _shard(resource: dict) -> str:
    attributes = resource.get("resource", {}).get("attributes", [])
    texts = {a["key"]: a.get("value", {}).get("stringValue") for a in attributes}
    return texts.get("service.namespace") or texts.get("service.name") or UNKNOWN


def _earliest(signal: str, resources: list) -> Optional[int]:
    times = (int(t) for resource in resources for t in _TIMES[signal](resource))
    return min((t for t in times if t > 0), default=None)


def _metric_times(resource: dict) -> Iterator[Any]:
    for scope in resource.get("scopeMetrics", []):
        for metric in scope.get("metrics", []):
            for data in metric.values():
                if isinstance(data, dict):
                    for point in data.get("dataPoints", []):
                        yield point.get("timeUnixNano", 0)


def _log_times(resource: dict) -> Iterator[Any]:
    for scope in resource.get("scopeLogs", []):
        for record in scope.get("logRecords", []):
            yield int(record.get("timeUnixNano", 0)) or record.get("observedTimeUnixNano", 0)


def _span_times(resource: dict) -> Iterator[Any]:
    for scope in resource.get("scopeSpans", []):
        for span in scope.get("spans", []):
            yield span.get("startTimeUnixNano", 0)


_TIMES = {"metrics": _metric_times, "logs": _log_times, "traces": _span_times}
