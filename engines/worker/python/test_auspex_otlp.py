# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the reader of recorded OTLP."""

import json
import unittest

from auspex_otlp import UNKNOWN, FileOrder, split

MINUTE = 60 * 10**9


def resource(scopes, **attributes):
    named = [{"key": key.replace("_", "."), "value": {"stringValue": value}} for key, value in attributes.items()]
    return {"resource": {"attributes": named}, **scopes}


def spans(*times):
    return {"scopeSpans": [{"spans": [{"startTimeUnixNano": str(t)} for t in times]}]}


class SplitTest(unittest.TestCase):
    def test_splits_by_namespace_and_name(self):
        message = {
            "resourceSpans": [
                resource(spans(30, 20), service_namespace="shop", service_name="pay"),
                resource(spans(5), service_name="mail"),
                resource(spans(0, 10), service_namespace="shop", service_name="cart"),
                resource(spans(0)),
            ]
        }
        parts = list(split(json.dumps(message)))
        self.assertEqual(
            [("shop", "traces", 10), ("mail", "traces", 5), (UNKNOWN, "traces", None)], [part[:3] for part in parts]
        )
        self.assertEqual([2, 1, 1], [len(json.loads(part.otlp)["resourceSpans"]) for part in parts])

    def test_keeps_the_bytes_of_one_shard(self):
        text = '{ "resourceLogs" : [{"scopeLogs":[{"logRecords":[{"timeUnixNano":"0","observedTimeUnixNano":"7"}]}]}] }'
        self.assertEqual([(UNKNOWN, "logs", 7, text.encode())], list(split(text)))

    def test_reads_times_of_all_metrics(self):
        for kind in "gauge", "sum", "histogram", "exponentialHistogram", "summary":
            metrics = [{"name": "m", kind: {"dataPoints": [{"timeUnixNano": "9"}, {"timeUnixNano": "8"}]}}]
            text = json.dumps({"resourceMetrics": [resource({"scopeMetrics": [{"metrics": metrics}]})]})
            self.assertEqual([8], [part.time for part in split(text)])

    def test_empty_and_invalid_messages(self):
        for text in "", "  \n", "{}":
            self.assertEqual([], list(split(text)))
        for text in "[1]", "{", '{"metrics": []}', '{"resourceSpans": [1]}', '{"resourceSpans": 3}':
            with self.subTest(text), self.assertRaisesRegex(ValueError, "not OTLP JSON"):
                list(split(text))


class FileOrderTest(unittest.TestCase):
    def order(self, *minutes):
        order = FileOrder()
        out = [placed for i, m in enumerate(minutes) for placed in order.add(m and m * MINUTE, i)]
        out += order.end()
        self.assertEqual(list(range(len(minutes))), [i for _, i in out])
        return [t // MINUTE for t, _ in out]

    def test_keeps_the_order_of_the_file(self):
        self.assertEqual([10, 12, 12, 13, 13, 14], self.order(10, 12, 11, 13, None, 14))

    def test_a_wrong_clock_does_not_advance_the_time(self):
        self.assertEqual([10, 10, 11, 12, 13, 14, 15], self.order(10, 900, 11, 12, 13, 14, 15))

    def test_a_gap_advances_the_time(self):
        self.assertEqual([10, 900, 901, 902, 903, 904], self.order(10, 900, 901, 902, 903, 904))


if __name__ == "__main__":
    unittest.main()
