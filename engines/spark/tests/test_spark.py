# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the package on Spark in one process, with the real worker. The wheel must be installed."""

import json
import os
import runpy
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))

import auspex_spark  # noqa: E402
import data  # noqa: E402
from auspex_spark.auspex_otlp import UNKNOWN  # noqa: E402
from pyspark.sql import Observation, SparkSession  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402

COLUMNS = {"key": "host", "time": "at", "value": "load"}
ROCKSDB = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"


def setUpModule():
    global spark, folder
    os.environ["PYSPARK_PYTHON"] = sys.executable
    folder = Path(tempfile.mkdtemp(prefix="auspex-spark-test-"))
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    builder = builder.config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "America/New_York")
    spark = builder.config("spark.sql.streaming.stateStore.providerClass", ROCKSDB).getOrCreate()
    spark.sparkContext.setLogLevel("OFF")


def tearDownModule():
    spark.stop()
    shutil.rmtree(folder)


def rows(df, *order):
    return [tuple(row) for row in df.orderBy(*order).collect()]


class ScoreTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.table = data.points(series=3, length=1500, seed=7)
        data.write_parquet(cls.table, folder / "points", files=3)
        cls.df = spark.read.parquet(str(folder / "points"))
        cls.observation = Observation()
        cls.scored = auspex_spark.score(cls.df, **COLUMNS, observation=cls.observation).cache()
        cls.counts = {row["outcome"]: row["count"] for row in cls.scored.groupBy("outcome").count().collect()}

    def test_every_row_is_kept_and_counted(self):
        self.assertEqual(sum(self.counts.values()), self.table.num_rows)
        self.assertEqual({k: v for k, v in self.observation.get.items() if v}, self.counts)
        self.assertEqual((self.counts["no_key"], self.counts["no_time"]), (7, 5))
        self.assertGreater(self.counts["evaluated"], 4000)
        for outcome in ("no_value", "not_finite", "duplicate"):
            self.assertGreater(self.counts[outcome], 0)

    def test_opens_anomalies(self):
        self.assertGreater(self.scored.where("opening >= 1").count(), 3)

    def test_series_are_independent_of_each_other_and_of_the_partitions(self):
        alone = auspex_spark.score(self.df.where("host = 'host-0001'").repartition(5), **COLUMNS)
        together = self.scored.where("host = 'host-0001'")
        order = ("at", "load", "outcome")
        self.assertEqual(str(rows(alone, *order)), str(rows(together, *order)))

    def test_several_key_columns(self):
        df = self.df.withColumn("rack", F.lit(3)).withColumn("host", F.when(F.col("host") != "host-0002", F.col("host")))
        scored = auspex_spark.score(df, key=["host", "rack"], time="at", value="load")
        self.assertEqual(scored.columns[:4], ["host", "rack", "at", "load"])
        order = ("at", "load", "outcome")
        self.assertEqual(
            str(rows(scored.where("host = 'host-0000'").drop("rack"), *order)),
            str(rows(self.scored.where("host = 'host-0000'"), *order)),
        )
        self.assertGreater(scored.where("outcome = 'no_key'").count(), 1400)

    def test_other_types_give_the_same_scores(self):
        whole = self.df.withColumn("load", F.round("load"))
        expected = rows(auspex_spark.score(whole, **COLUMNS).where("outcome = 'evaluated'").select("host", "score"), "host", "score")
        for kind in ("int", "decimal(12,3)", "float"):
            other = whole.where("not isnan(load)").withColumn("load", F.col("load").cast(kind))
            scored = auspex_spark.score(other, **COLUMNS).where("outcome = 'evaluated'").select("host", "score")
            self.assertEqual(rows(scored, "host", "score"), expected, kind)

    def test_settings_change_the_result(self):
        strict = auspex_spark.score(self.df, **COLUMNS, engine={"max_alpha": 1e-7})
        self.assertLess(strict.where("opening >= 1").count(), self.scored.where("opening >= 1").count())

    def test_errors_name_the_column(self):
        cases = [
            ({"key": "hosts"}, 'no column "hosts" for key: the columns are host, at, load'),
            ({"key": []}, "name at least one"),
            ({"time": "when"}, 'no column "when" for time'),
            ({"time": "load"}, 'time column "load" is of type double'),
            ({"value": "host"}, 'value column "host" is of type string'),
            ({"key": ["host", "at"]}, 'column "at" is named twice'),
        ]
        for change, message in cases:
            with self.subTest(change), self.assertRaisesRegex(ValueError, message):
                auspex_spark.score(self.df, **{**COLUMNS, **change})
        with self.assertRaisesRegex(ValueError, 'column "score" has the name of a column of the output'):
            auspex_spark.score(self.df.withColumnRenamed("load", "score"), **{**COLUMNS, "value": "score"})
        with self.assertRaisesRegex(auspex_spark.WorkerError, "colour"):
            auspex_spark.score(self.df, **COLUMNS, engine={"colour": "red"})

    def test_names_with_dots(self):
        df = self.df.toDF("host.name", "@time", "system.load")
        scored = auspex_spark.score(df, key="host.name", time="@time", value="system.load")
        self.assertEqual(scored.where("outcome = 'evaluated'").count(), self.counts["evaluated"])

    def test_stream_gives_the_rows_of_the_batch(self):
        data.write_slices(self.table, folder / "slices", files=4)
        df = spark.readStream.schema(self.df.schema).option("maxFilesPerTrigger", 1).parquet(str(folder / "slices"))
        if spark.version < "4.1":
            with self.assertRaisesRegex(NotImplementedError, f"needs Spark 4.1 or later, and this is Spark {spark.version}"):
                auspex_spark.score_stream(df, **COLUMNS)
            return
        with self.assertRaisesRegex(ValueError, "use score for this one"):
            auspex_spark.score_stream(self.df, **COLUMNS)
        out, state = str(folder / "streamed"), str(folder / "checkpoint")
        stream = auspex_spark.score_stream(df, **COLUMNS, observation="outcomes").writeStream.format("parquet")
        query = stream.option("checkpointLocation", state).trigger(availableNow=True).start(out)
        query.awaitTermination()
        order = ("host", "at", "load", "outcome")
        self.assertEqual(str(rows(spark.read.parquet(out), *order)), str(rows(self.scored, *order)))
        counted = [p.observedMetrics["outcomes"]["evaluated"] for p in query.recentProgress]
        self.assertEqual(sum(counted), self.counts["evaluated"])


class ShardsTest(unittest.TestCase):
    @staticmethod
    def message(minute, value, *services):
        point = {"timeUnixNano": str((data.START + minute * data.MINUTE) * 1000), "asDouble": value}
        scopes = [{"metrics": [{"name": "queue.length", "gauge": {"dataPoints": [point]}}]}]
        return {
            "resourceMetrics": [
                {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": s}}]}, "scopeMetrics": scopes}
                for s in services
            ]
        }

    def write(self, name, messages):
        path = folder / name
        path.mkdir()
        (path / "metrics.json").write_text("".join(json.dumps(m) + "\n" for m in messages))
        return str(path)

    def test_each_service_is_a_shard(self):
        noise = [5 + (i * 7919 % 101) / 100 + (80 if 1800 <= i < 1810 else 0) for i in range(2000)]
        both = self.write("both", (self.message(i, v, "pay", "cart") for i, v in enumerate(noise)))
        alone = self.write("alone", (self.message(i, v, "pay") for i, v in enumerate(noise)))
        found = auspex_spark.shards(auspex_spark.read_otlp(spark, both)).cache()
        self.assertEqual({row["shard"] for row in found.collect()}, {"pay", "cart"})
        self.assertIn("anomaly", {row["kind"] for row in found.collect()})
        first = found.first()
        self.assertEqual(json.loads(first["json"])["id"], first["id"])
        expected = auspex_spark.shards(auspex_spark.read_otlp(spark, alone))
        self.assertEqual(rows(found.where("shard = 'pay'"), "id", "kind"), rows(expected, "id", "kind"))

    def test_messages(self):
        path = self.write("messages", [{}, self.message(1, 2.0, "pay", "cart"), {"resourceLogs": [{"scopeLogs": []}]}])
        messages = auspex_spark.read_otlp(spark, path).orderBy("position", "shard").collect()
        self.assertEqual([(m["shard"], m["signal"]) for m in messages], [("cart", "metrics"), ("pay", "metrics"), (UNKNOWN, "logs")])
        self.assertEqual(json.loads(bytes(messages[0]["otlp"])), self.message(1, 2.0, "cart"))
        self.assertEqual(messages[0]["time"], messages[1]["time"])
        self.assertIsNone(messages[2]["time"], "the shard has no message with a time before it")

    def test_a_line_that_is_not_otlp_names_its_file(self):
        path = self.write("broken", [self.message(1, 2.0, "pay"), {"resourceProfiles": []}])
        with self.assertRaisesRegex(Exception, "broken/metrics.json: line 2 after byte 0: not OTLP JSON"):
            auspex_spark.read_otlp(spark, path).collect()

    def test_a_rejected_message_names_the_shard(self):
        df = spark.createDataFrame([("pay", "metrics", None, b"{broken")], "shard string, signal string, time timestamp, otlp binary")
        with self.assertRaisesRegex(Exception, 'key "pay"'):
            auspex_spark.shards(df).collect()

    def test_errors_name_the_column(self):
        with self.assertRaisesRegex(ValueError, 'no column "shard"'):
            auspex_spark.shards(spark.range(1))


class NotebookTest(unittest.TestCase):
    def test_cells_run(self):
        notebook = json.loads((Path(__file__).parents[1] / "examples" / "anomalies.ipynb").read_text())
        cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        script = folder / "notebook.py"
        script.write_text("\n".join(cells))
        result = runpy.run_path(str(script), {"spark": spark})
        self.assertGreater(len(result["worst"]), 0)


if __name__ == "__main__":
    unittest.main()
