# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the detectors of Auspex on Apache Spark.

``score`` evaluates a DataFrame of points, ``score_stream`` a stream of points, and ``shards`` recorded OTLP, which
``read_otlp`` reads. The detectors are the program ``auspex``, which the package contains and starts on each executor.
"""

from ._otlp import read_otlp
from ._series import score
from ._shards import shards
from ._stream import score_stream
from .auspex_worker import OUTCOMES, WorkerDied, WorkerError

__all__ = ["OUTCOMES", "WorkerDied", "WorkerError", "read_otlp", "score", "score_stream", "shards"]
