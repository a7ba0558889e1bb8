// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.DataOutputStream;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares findings with those of {@code auspex backtest otlp} of the same messages. */
class BacktestTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir Path folder;

    @Test
    void findingsAreThoseOfTheBacktest() throws Exception {
        List<OtlpRecord> records = Messages.fleet(2, 60, 40);
        Map<String, String> want = new TreeMap<>();
        for (String shard : List.of("service-0", "service-1")) {
            want.putAll(backtest(records.stream().filter(r -> r.shard.equals(shard)).sorted(OtlpRecord.ORDER).toList()));
        }
        assertTrue(want.size() >= 2, want.toString());
        Map<String, String> got = new TreeMap<>();
        try (Task task = new Task(Task.settings(), null)) {
            task.add(Messages.disordered(records, 20));
            task.end();
            for (Finding finding : task.findings()) {
                got.put(finding.id, summary(finding));
            }
        }
        assertEquals(want, got);
    }

    /** Returns the last state of each finding. The input has a file for each signal, as of the collector's file exporter. */
    private Map<String, String> backtest(List<OtlpRecord> records) throws Exception {
        Path in = Files.createTempDirectory(folder, "in");
        for (Signal signal : Signal.values()) {
            try (DataOutputStream file = new DataOutputStream(Files.newOutputStream(in.resolve(signal.letter + ".pb")))) {
                for (OtlpRecord record : records) {
                    if (record.signal == signal.letter) {
                        file.writeInt(record.otlp.length);
                        file.write(record.otlp);
                    }
                }
            }
        }
        Path out = Files.createTempDirectory(folder, "out");
        Process backtest = new ProcessBuilder(Task.program(), "backtest", "otlp", "--in", in.toString(), "--out", out.toString())
                .redirectErrorStream(true).redirectOutput(new File(folder.toFile(), "log")).start();
        assertEquals(0, backtest.waitFor(), Files.readString(folder.resolve("log")));
        Map<String, String> findings = new TreeMap<>();
        for (String line : Files.readAllLines(out.resolve("anomalies.jsonl"))) {
            JsonNode a = JSON.readTree(line);
            findings.put(a.get("id").asText(), a.get("state").asText() + " " + a.get("opened").asText() + " " + a.get("max_score").asDouble() + " " + a.get("observed").asDouble());
        }
        for (String line : Files.readAllLines(out.resolve("incidents.jsonl"))) {
            JsonNode i = JSON.readTree(line);
            findings.put(i.get("id").asText(), i.get("state").asText() + " " + i.get("opened").asText() + " " + i.get("max_score").asDouble());
        }
        return findings;
    }

    private static String summary(Finding finding) {
        Map<String, String> attributes = attributes(finding.otlp);
        return finding.kind.equals("auspex.anomaly")
                ? attributes.get("anomaly.state") + " " + attributes.get("anomaly.opened") + " " + attributes.get("anomaly.score") + " " + attributes.get("anomaly.observed")
                : attributes.get("incident.state") + " " + attributes.get("incident.opened") + " " + attributes.get("anomaly.max_score");
    }

    /** Returns the attributes of a log record as texts. */
    private static Map<String, String> attributes(byte[] otlp) {
        Map<String, String> map = new TreeMap<>();
        Fields record = field(field(field(new Fields(otlp), 1), 2), 2);
        while (record.next()) {
            if (record.number == 6) {
                String name = "";
                String text = null;
                for (Fields attribute = record.message(); attribute.next(); ) {
                    if (attribute.number == 1) {
                        name = attribute.text();
                    } else {
                        Fields value = attribute.message();
                        value.next();
                        text = switch (value.number) {
                            case 1 -> value.text();
                            case 4 -> String.valueOf(Double.longBitsToDouble(value.fixed64()));
                            default -> null; // another type
                        };
                    }
                }
                map.put(name, text);
            }
        }
        return map;
    }

    private static Fields field(Fields message, int number) {
        while (message.next()) {
            if (message.number == number) {
                return message.message();
            }
        }
        throw new AssertionError("no field " + number);
    }
}
