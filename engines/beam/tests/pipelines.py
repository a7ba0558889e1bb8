# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs pipelines and collects their output."""

import json
import os
import tempfile
from pathlib import Path

import apache_beam as beam
from apache_beam.metrics import MetricsFilter

from data import options


def collect(runner, build):
    """Runs a pipeline. Returns the rows that ``build`` returns, and its counters of the namespace auspex.

    The rows pass through files, because a runner may use other processes.
    """
    with tempfile.TemporaryDirectory() as folder:
        pipeline = beam.Pipeline(options=options(runner))
        rows = build(pipeline)
        rows | "To JSON" >> beam.Map(_encode) | beam.io.WriteToText(os.path.join(folder, "rows"))
        result = pipeline.run()
        result.wait_until_finish()
        lines = [line for part in Path(folder).iterdir() for line in part.read_text().splitlines()]
        counters = result.metrics().query(MetricsFilter().with_namespace("auspex"))["counters"]
        return [json.loads(line) for line in lines], {c.key.metric.name: c.result for c in counters}


def _encode(row):
    return json.dumps(list(row))  # floats keep their bits
