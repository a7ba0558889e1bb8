// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.util.TimeUtils;

/** The options of {@link AuspexJob}. */
final class JobOptions {
    static final String USAGE = """
            Reads OTLP from Kafka, evaluates it, and writes findings, gauges, and errors to Kafka.

            --brokers HOST:PORT,...   required
            --metrics-topic NAME      otlp_metrics
            --logs-topic NAME         otlp_logs
            --traces-topic NAME       otlp_spans
            --findings-topic NAME     auspex_findings: anomalies and incidents as OTLP logs
            --gauges-topic NAME       auspex_gauges: gauges of each service as OTLP metrics
            --errors-topic NAME       auspex_errors: messages that are not evaluated, as JSON
            --group NAME              auspex-flink: consumer group, and prefix of transactions
            --kafka-properties FILE   further properties of the consumer and the producer, such as security.protocol
            --delivery NAME           exactly-once, or at-least-once
            --checkpoint DURATION     10s
            --out-of-order DURATION   2m: how long records wait for earlier ones
            --idle DURATION           1m: after which a partition without messages is not waited for, and records behind the watermark are evaluated
            --interval DURATION       10s: the records of a shard within it are evaluated together
            --memory MIB              256: memory for the states of shards in the worker of each task
            --worker PATH             the program in the jar
            --engine JSON             {}: settings of the engine, such as {"false_alarms": 5}
            --bounded                 stops at the present end of the topics""";

    private final Map<String, String> values = new HashMap<>(Map.ofEntries(
            Map.entry("metrics-topic", "otlp_metrics"), Map.entry("logs-topic", "otlp_logs"), Map.entry("traces-topic", "otlp_spans"),
            Map.entry("findings-topic", "auspex_findings"), Map.entry("gauges-topic", "auspex_gauges"), Map.entry("errors-topic", "auspex_errors"),
            Map.entry("group", "auspex-flink"), Map.entry("kafka-properties", ""), Map.entry("delivery", "exactly-once"), Map.entry("checkpoint", "10s"),
            Map.entry("out-of-order", "2m"), Map.entry("idle", "1m"), Map.entry("interval", "10s"), Map.entry("memory", "256"),
            Map.entry("worker", ""), Map.entry("engine", "{}"), Map.entry("brokers", ""), Map.entry("bounded", "false")));

    /** Parses arguments. Throws IllegalArgumentException if one is unknown, or invalid. */
    JobOptions(String... args) {
        for (int i = 0; i < args.length; i++) {
            String name = args[i].startsWith("--") ? args[i].substring(2) : "";
            if (!values.containsKey(name)) {
                throw new IllegalArgumentException("unknown option " + args[i] + "\n\n" + USAGE);
            }
            if (name.equals("bounded")) {
                values.put(name, "true");
            } else if (++i < args.length) {
                values.put(name, args[i]);
            } else {
                throw new IllegalArgumentException("option --" + name + " has no value\n\n" + USAGE);
            }
        }
        if (text("brokers").isEmpty()) {
            throw new IllegalArgumentException("option --brokers is required\n\n" + USAGE);
        }
    }

    String text(String name) {
        return values.get(name);
    }

    boolean bounded() {
        return Boolean.parseBoolean(text("bounded"));
    }

    Duration checkpoint() {
        return duration("checkpoint");
    }

    Duration outOfOrder() {
        return duration("out-of-order");
    }

    Duration idle() {
        return duration("idle");
    }

    DeliveryGuarantee delivery() {
        return switch (text("delivery")) {
            case "exactly-once" -> DeliveryGuarantee.EXACTLY_ONCE;
            case "at-least-once" -> DeliveryGuarantee.AT_LEAST_ONCE;
            default -> throw new IllegalArgumentException("--delivery is " + text("delivery") + ": must be exactly-once or at-least-once");
        };
    }

    AuspexSettings settings() {
        AuspexSettings settings = new AuspexSettings().engine(text("engine")).interval(duration("interval")).backlog(idle()).memoryMib(memory());
        return text("worker").isEmpty() ? settings : settings.worker(text("worker"));
    }

    /** Returns further properties of the Kafka clients. */
    Properties kafka() {
        Properties properties = new Properties();
        if (!text("kafka-properties").isEmpty()) {
            try (InputStream file = new FileInputStream(text("kafka-properties"))) {
                properties.load(file);
            } catch (IOException e) {
                throw new IllegalArgumentException("--kafka-properties: cannot read the file: " + e.getMessage(), e);
            }
        }
        return properties;
    }

    private int memory() {
        try {
            return Integer.parseInt(text("memory"));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--memory is " + text("memory") + ": must be a number of MiB", e);
        }
    }

    /** Parses a duration such as 90s, 2m, or PT2M. */
    private Duration duration(String name) {
        String text = text(name);
        try {
            return text.startsWith("P") ? Duration.parse(text) : TimeUtils.parseDuration(text);
        } catch (RuntimeException e) {
            throw new IllegalArgumentException("--" + name + " is " + text + ": must be a duration such as 90s or 2m", e);
        }
    }
}
