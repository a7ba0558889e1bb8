# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluates the elements of each key in the order of event time.

Beam does not keep the order of elements: a runner may split, merge, and shuffle bundles. So a bounded collection is
grouped by key. Elements of an unbounded one are buffered in the state of the key until the watermark has passed them.
Both are then sorted.
"""

from __future__ import annotations

import math
from typing import Any, Iterable, Iterator, Optional, Protocol

import apache_beam as beam
from apache_beam.coders import CloudpickleCoder, FastPrimitivesCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.trigger import DefaultTrigger
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.utils.timestamp import Timestamp

STREAM_INTERVAL = 60.0
"""Default seconds between two evaluations of a key in an unbounded collection."""


class Evaluator(Protocol):
    """Evaluates the elements of one key."""

    def sort_key(self, time: Optional[int], payload: Any) -> Any:
        """Returns the sort key of an element. It must be total, so that every runner evaluates in the same order."""

    def evaluate(self, key: Any, state: Any, items: list[tuple[Optional[int], Any]], last: bool) -> tuple[list, Any]:
        """Evaluates sorted elements, and returns outputs and the next state.

        ``state`` is None at first. After a call with ``last``, its window has ended.
        """


class EvaluateInOrder(beam.PTransform):
    """Evaluates elements (key, (time in nanoseconds or None, payload)) in the order of event time, and returns the outputs.

    A bounded collection is evaluated once, when all of it is there. An unbounded one is evaluated every ``interval``
    seconds of event time, and at the end of its window. Its elements must have their event time as timestamp.
    """

    def __init__(self, evaluator: Evaluator, interval: Optional[float]) -> None:
        super().__init__()
        if interval is not None and not 1e-3 <= interval < math.inf:
            raise ValueError(f"interval is {interval}: must be at least 0.001 seconds")
        self.evaluator, self.interval = evaluator, interval

    def expand(self, keyed: beam.PCollection) -> beam.PCollection:
        if not keyed.is_bounded:
            return keyed | beam.ParDo(_Evaluate(self.evaluator, round((self.interval or STREAM_INTERVAL) * 1_000_000)))
        if not isinstance(keyed.windowing.triggerfn, DefaultTrigger):
            raise ValueError(f"the trigger is {keyed.windowing.triggerfn}: must be the default, which waits for all data")
        return keyed | beam.GroupByKey() | beam.FlatMapTuple(self._evaluate)

    def _evaluate(self, key: Any, items: Iterable) -> list:
        outputs, _ = self.evaluator.evaluate(key, None, _sort(self.evaluator, items), True)
        return outputs


def _sort(evaluator: Evaluator, items: Iterable) -> list:
    return sorted(items, key=lambda item: evaluator.sort_key(*item))


class _Evaluate(beam.DoFn):
    BUFFER = BagStateSpec("buffer", FastPrimitivesCoder())
    STATE = ReadModifyWriteStateSpec("state", CloudpickleCoder())
    DUE = TimerSpec("due", TimeDomain.WATERMARK)
    END = TimerSpec("end", TimeDomain.WATERMARK)

    def __init__(self, evaluator: Evaluator, interval: int) -> None:
        self.evaluator, self.interval = evaluator, interval  # microseconds
        self.timers: set = set()

    def start_bundle(self) -> None:
        self.timers.clear()

    def process(
        self,
        element,
        window=beam.DoFn.WindowParam,
        buffer=beam.DoFn.StateParam(BUFFER),
        due=beam.DoFn.TimerParam(DUE),
        end=beam.DoFn.TimerParam(END),
    ):
        key, (time, payload) = element
        buffer.add((time, payload))
        self._set(key, window, end, window.max_timestamp(), "")
        # Each interval that has elements has a timer.
        after = (max(time or 0, 0) // 1000 // self.interval + 1) * self.interval
        self._set(key, window, due, min(Timestamp(micros=after), window.max_timestamp()), str(after))

    def _set(self, key, window, timer, at: Timestamp, tag: str) -> None:
        """Sets a timer once per bundle, because each time costs a message."""
        if (key, window, tag) not in self.timers:
            self.timers.add((key, window, tag))
            timer.set(at, dynamic_timer_tag=tag)

    @on_timer(DUE)
    def on_due(
        self,
        key=beam.DoFn.KeyParam,
        timestamp=beam.DoFn.TimestampParam,
        buffer=beam.DoFn.StateParam(BUFFER),
        state=beam.DoFn.StateParam(STATE),
    ) -> Iterator[Any]:
        self.timers.clear()
        before = timestamp.micros * 1000
        ready, rest = [], []
        for item in buffer.read():
            (ready if (item[0] or 0) < before else rest).append(item)
        if ready:
            buffer.clear()
            for item in rest:
                buffer.add(item)
            outputs, after = self.evaluator.evaluate(key, state.read(), _sort(self.evaluator, ready), False)
            state.write(after)
            yield from outputs

    @on_timer(END)
    def on_end(
        self,
        key=beam.DoFn.KeyParam,
        buffer=beam.DoFn.StateParam(BUFFER),
        state=beam.DoFn.StateParam(STATE),
    ) -> Iterator[Any]:
        self.timers.clear()
        outputs, _ = self.evaluator.evaluate(key, state.read(), _sort(self.evaluator, buffer.read()), True)
        buffer.clear()
        state.clear()
        yield from outputs
