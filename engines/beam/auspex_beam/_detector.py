# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""The engine as a detector of ``apache_beam.ml.anomaly``."""

from __future__ import annotations

import math
import uuid
import weakref
from typing import Any, Iterable, Optional

import apache_beam as beam
from apache_beam.ml.anomaly.base import AnomalyDetector, AnomalyPrediction, AnomalyResult
from apache_beam.ml.anomaly.specifiable import Spec, Specifiable, specifiable
from apache_beam.ml.anomaly.thresholds import FixedThreshold
from apache_beam.ml.anomaly.transforms import RunThresholdCriterion
from apache_beam.typehints.typehints import TupleConstraint

from . import _rows
from ._order import EvaluateInOrder
from ._series import OBSERVED, count, points
from ._worker import Settings, Shared, shared


@specifiable
class AuspexDetector(AnomalyDetector):
    """Scores one series with the engine of Auspex. Beam creates a detector for each key.

    ``features`` names the columns of time and value, in this order. The score is the opening score: an anomaly opens
    where it reaches 1, which is the default ``threshold_criterion``. It is NaN while the series warms up, and None for
    a row that cannot be evaluated: it has a null, is not finite, or is not newer than the row before. The metrics and
    the settings ``memory_mib`` and ``engine`` are those of ``ScoreSeries``.

    ``score_one`` also learns from the row, because the worker does both at once. ``learn_one`` of the same row does
    nothing then. Pickling includes the state.

    ``AnomalyDetection`` of Beam passes the rows of a key in any order. Use ``InOrder`` instead.
    """

    def __init__(
        self,
        features: Iterable[str] = ("time", "value"),
        model_id: Optional[str] = None,
        threshold_criterion: Any = None,
        memory_mib: Optional[int] = None,
        **engine: Any,
    ) -> None:
        features = list(features)
        if len(features) != 2:
            raise ValueError(f"features is {features}: must be the column of the time and that of the value")
        super().__init__(
            model_id=model_id, features=features, threshold_criterion=threshold_criterion or FixedThreshold(1)
        )
        self._settings = Settings.of("series", engine, memory_mib)
        self._state: Optional[bytes] = None
        self._live: Optional[_Live] = None  # not before the first row
        self._scored: Any = None

    def score_one(self, x: beam.Row) -> Optional[float]:
        """Scores a row, and learns from it."""
        self._scored = x
        return self._observe(x)

    def learn_one(self, x: beam.Row) -> None:
        """Learns from a row, unless it has just been scored."""
        if x is not self._scored:
            self._observe(x)
        self._scored = None

    def _observe(self, x: beam.Row) -> Optional[float]:
        time, value = self._features
        if self._live is None:
            self._live = _Live(self._settings, self._state)
            self._state = None
        result = self._live.score(_rows.nanoseconds(x, time), _rows.number(x, value))
        outcome, opening = result.column("outcome")[0].as_py(), result.column("opening")[0].as_py()
        count([outcome])
        return math.nan if outcome == "warming_up" else opening

    def __getstate__(self) -> dict:
        attributes = dict(self.__dict__)
        live = attributes.get("_live")
        if live is not None:
            attributes.update(_state=live.snapshot(), _live=None, _scored=None)
        return attributes

    def __setstate__(self, attributes: dict) -> None:
        self.__dict__.update(attributes)


class _Live:
    """A series in the worker of this process. If the worker dies, its users fail, and continue from pickled states."""

    def __init__(self, settings: Settings, state: Optional[bytes]) -> None:
        self.key = uuid.uuid4().hex
        self.shared: Shared = shared(settings)
        self.known = state is not None
        if state is not None:
            with self.shared.use() as worker:
                worker.restore(self.key, state)
        weakref.finalize(self, self.shared.drop_later, self.key)

    def score(self, time: Optional[int], value: Optional[float]) -> Any:
        with self.shared.use() as worker:
            result = worker.score(points(self.key, [time], [value]))
        self.known = self.known or result.column("outcome")[0].as_py() in OBSERVED
        return result

    def snapshot(self) -> Optional[bytes]:
        if not self.known:
            return None
        with self.shared.use() as worker:
            return worker.snapshot(self.key)


class InOrder(beam.PTransform):
    """Runs a detector on the rows of each key in the order of event time. Returns (key, ``AnomalyResult``).

    It replaces ``AnomalyDetection`` for detectors whose result depends on the order. The input is a collection of
    (key, row), or of rows, which then are one series and have no key in the result. ``time`` names the column of the
    event time, by default the first feature of the detector. ``interval`` is that of ``ScoreSeries``.
    """

    def __init__(self, detector: AnomalyDetector, *, time: Optional[str] = None, interval: Optional[float] = None) -> None:
        super().__init__()
        self.detector, self.time, self.interval = detector, time or list(detector._features)[0], interval

    def expand(self, rows: beam.PCollection) -> beam.PCollection:
        keyed = isinstance(rows.element_type, TupleConstraint)
        detector = self.detector
        results = (
            (rows if keyed else rows | beam.WithKeys(0))
            | "Read time" >> beam.Map(_read, self.time)
            | "Score" >> EvaluateInOrder(_Rows(detector.to_spec(), list(detector._features)), self.interval)
            | RunThresholdCriterion(detector._threshold_criterion)
        )
        return results | beam.MapTuple((lambda key, result: (key, result[1])) if keyed else (lambda _, result: result[1]))


def _read(element: tuple, time: str) -> tuple:
    key, row = element
    return key, (_rows.nanoseconds(row, time), row)


class _Rows:
    def __init__(self, spec: Spec, features: list[str]) -> None:
        self.spec, self.features = spec, features

    def sort_key(self, time: Optional[int], row: Any) -> tuple:
        return time or 0, repr(row)

    def evaluate(self, key: Any, detector: Optional[AnomalyDetector], items: list, last: bool) -> tuple[list, Any]:
        detector = detector or Specifiable.from_spec(self.spec)
        return [(key, ("", self._score(detector, row))) for _, row in items], detector

    def _score(self, detector: AnomalyDetector, row: Any) -> AnomalyResult:
        x = beam.Row(**{name: _rows.column(row, name) for name in self.features})
        score = detector.score_one(x)
        detector.learn_one(x)
        return AnomalyResult(row, [AnomalyPrediction(model_id=detector._model_id, score=score)])
