# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Detects anomalies in Apache Beam pipelines with the engine of Auspex."""

from ._detector import AuspexDetector, InOrder
from ._otlp import Message, ReadOtlp
from ._series import Scored, ScoreSeries
from ._shards import Finding, Shards
from .auspex_worker import WorkerDied, WorkerError

__all__ = [
    "AuspexDetector",
    "Finding",
    "InOrder",
    "Message",
    "ReadOtlp",
    "ScoreSeries",
    "Scored",
    "Shards",
    "WorkerDied",
    "WorkerError",
]
