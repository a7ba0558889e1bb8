# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs pipelines and collects their output."""

import os
import pickle
import tempfile
from pathlib import Path

import apache_beam as beam
from apache_beam.metrics import MetricsFilter

from data import options


def collect(runner, build, *more):
    """Runs a pipeline. Returns the rows that ``build`` returns, and its counters of the namespace auspex."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline = beam.Pipeline(options=options(runner, *more))
        build(pipeline) | "Write" >> beam.ParDo(_Write(folder))
        result = pipeline.run()
        result.wait_until_finish()
        rows = [row for file in Path(folder).iterdir() for row in _read(file)]
        counters = result.metrics().query(MetricsFilter().with_namespace("auspex"))["counters"]
        return rows, {c.key.metric.name: c.result for c in counters}


class _Write(beam.DoFn):
    """Appends rows to a file for each process, because a runner may use several.

    WriteToText is no alternative: the direct runner that runs by bundles ends a grouping before the last timers fire.
    """

    def __init__(self, folder):
        self.folder = folder

    def process(self, row):
        with open(os.path.join(self.folder, str(os.getpid())), "ab") as file:
            file.write(pickle.dumps(row))


def _read(path):
    with open(path, "rb") as file:
        while file.peek(1):
            yield pickle.load(file)
