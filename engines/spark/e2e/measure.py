#!/usr/bin/env python3
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluates or aggregates a table of points, and discards the result: measure.py score|aggregate FOLDER."""

import json
import sys
import time

import auspex_spark
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

what, folder = sys.argv[1:]
spark = SparkSession.builder.appName(what).getOrCreate()
points = spark.read.parquet(folder)
started = time.monotonic()
if what == "score":
    result = auspex_spark.score(points, key="host", time="at", value="load")
else:
    result = points.groupBy("host").agg(F.count("load"), F.avg("load"), F.stddev("load"), F.min("load"), F.max("load"))
result.write.format("noop").mode("overwrite").save()
print(json.dumps({"seconds": round(time.monotonic() - started, 1)}), file=sys.stderr)
spark.stop()
