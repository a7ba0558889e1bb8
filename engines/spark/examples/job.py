#!/usr/bin/env python3
# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluates a table of points, a stream of points, or recorded OTLP, and writes the result as Parquet.

spark-submit job.py score  --in points/ --out scored/ --key host,metric --time at --value load
spark-submit job.py stream --in landing/ --out scored/ --checkpoint state/ --key host --time at --value load
spark-submit job.py shards --in recorded/ --out findings/

``score`` replaces ``--out``. ``stream`` evaluates the files that arrived since the last run, and adds to ``--out``.
"""

import argparse
import json
import sys
import time

import auspex_spark
from pyspark.sql import Observation, SparkSession


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["score", "stream", "shards"])
    parser.add_argument("--in", dest="source", required=True, help="folder of Parquet files, or for shards of OTLP JSON files")
    parser.add_argument("--out", required=True, help="folder of the result")
    parser.add_argument("--key", type=lambda names: names.split(","), help="columns that identify a series")
    parser.add_argument("--time", help="column with the timestamp")
    parser.add_argument("--value", help="column with the number")
    parser.add_argument("--engine", type=json.loads, default={}, help='settings, such as {"false_alarms": 5}')
    parser.add_argument("--checkpoint", help="folder of the state of the stream")
    parser.add_argument("--files", type=int, default=1, help="files per micro-batch")
    args = parser.parse_args()

    spark = SparkSession.builder.appName("auspex").getOrCreate()
    started = time.monotonic()
    counts = {"score": score, "stream": stream, "shards": shards}[args.what](spark, args)
    print(json.dumps({"seconds": round(time.monotonic() - started, 1), **counts}), file=sys.stderr)
    spark.stop()


def score(spark: SparkSession, args: argparse.Namespace) -> dict:
    """Evaluates a table, and returns the number of rows of each outcome."""
    outcomes = Observation("outcomes")
    points = spark.read.parquet(args.source)
    scored = auspex_spark.score(
        points, key=args.key, time=args.time, value=args.value, engine=args.engine, observation=outcomes
    )
    scored.write.mode("overwrite").parquet(args.out)
    return outcomes.get


def stream(spark: SparkSession, args: argparse.Namespace) -> dict:
    """Evaluates the files that have arrived, and returns the number of rows of each outcome."""
    spark.conf.set(
        "spark.sql.streaming.stateStore.providerClass",
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
    )
    schema = spark.read.parquet(args.source).schema
    points = spark.readStream.schema(schema).option("maxFilesPerTrigger", args.files).parquet(args.source)
    scored = auspex_spark.score_stream(
        points, key=args.key, time=args.time, value=args.value, engine=args.engine, observation="outcomes"
    )
    query = (
        scored.writeStream.format("parquet")
        .option("checkpointLocation", args.checkpoint)
        .trigger(availableNow=True)
        .start(args.out)
    )
    query.awaitTermination()
    batches = [dict(p.observedMetrics["outcomes"].asDict()) for p in query.recentProgress if "outcomes" in p.observedMetrics]
    return {outcome: sum(batch[outcome] for batch in batches) for outcome in auspex_spark.OUTCOMES}


def shards(spark: SparkSession, args: argparse.Namespace) -> dict:
    """Evaluates recorded OTLP, and returns the number of findings of each kind."""
    messages = auspex_spark.read_otlp(spark, args.source)
    auspex_spark.shards(messages, engine=args.engine).write.mode("overwrite").parquet(args.out)
    return {row["kind"]: row["count"] for row in spark.read.parquet(args.out).groupBy("kind").count().collect()}


if __name__ == "__main__":
    main()
