// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Divides OTLP messages by shard: {@code service.namespace} of a resource, or otherwise {@code service.name}, {@code
 * host.name}, or {@code unknown_service}. This is also the key of the messages that {@code auspex:agent-kafka} writes.
 *
 * <p>The resources of a message are copied as they are. Their content is read only as far as the shard and the time need
 * it. Field numbers are those of opentelemetry-proto 1.
 */
public final class OtlpSplitter {
    /** Shard of resources without the attributes of a shard. */
    public static final String UNKNOWN = "unknown_service";

    private static final List<String> SHARD = List.of("service.namespace", "service.name", "host.name");

    private OtlpSplitter() {}

    /**
     * Returns a record for each shard of a message, in the order of their first resources. Its time is the earliest one
     * of its data points, log records, or spans, or 0 if none has a time. A message without resources has no records.
     *
     * @throws IllegalArgumentException if the message is not OTLP in protobuf
     */
    public static List<OtlpRecord> split(Signal signal, byte[] message, String position) {
        Map<String, Part> parts = new LinkedHashMap<>();
        for (Fields top = new Fields(message); top.next(); ) {
            if (top.number == 1) {
                parts.computeIfAbsent(shard(top.message()), s -> new Part()).add(message, top, earliest(signal, top.message()));
            }
        }
        List<OtlpRecord> records = new ArrayList<>();
        parts.forEach((shard, part) -> records.add(new OtlpRecord(
                shard, signal.letter, part.earliest == Long.MAX_VALUE ? 0 : part.earliest, parts.size() == 1 ? message : part.bytes.toByteArray(), position)));
        return records;
    }

    private static final class Part {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        long earliest = Long.MAX_VALUE;

        void add(byte[] message, Fields field, long time) {
            bytes.write(message, field.start, field.to - field.start);
            earliest = Math.min(earliest, time);
        }
    }

    /** Returns the shard of ResourceMetrics, ResourceLogs, or ResourceSpans. */
    private static String shard(Fields resource) {
        String[] values = new String[SHARD.size()];
        while (resource.next()) {
            if (resource.number != 1) {
                continue;
            }
            for (Fields attributes = resource.message(); attributes.next(); ) {
                if (attributes.number == 1) {
                    Fields.Attribute attribute = Fields.attribute(attributes.message());
                    int index = SHARD.indexOf(attribute.key());
                    if (index >= 0) {
                        values[index] = attribute.text();
                    }
                }
            }
        }
        for (String value : values) {
            if (value != null && !value.isEmpty()) {
                return value;
            }
        }
        return UNKNOWN;
    }

    /** Returns the earliest time of the items of ResourceMetrics, ResourceLogs, or ResourceSpans, or MAX_VALUE if none has one. */
    private static long earliest(Signal signal, Fields resource) {
        long earliest = Long.MAX_VALUE;
        while (resource.next()) {
            if (resource.number != 2) {
                continue;
            }
            for (Fields scope = resource.message(); scope.next(); ) {
                if (scope.number == 2) {
                    earliest = Math.min(earliest, itemTime(signal, scope.message()));
                }
            }
        }
        return earliest;
    }

    /** Returns the earliest time of a Metric, or the time of a LogRecord or a Span. */
    private static long itemTime(Signal signal, Fields item) {
        return switch (signal) {
            case METRICS -> earliestPoint(item);
            case LOGS -> firstOf(item, 1, 11);
            case TRACES -> firstOf(item, 7, 7);
        };
    }

    private static long earliestPoint(Fields metric) {
        long earliest = Long.MAX_VALUE;
        while (metric.next()) {
            switch (metric.number) {
                case 5, 7, 9, 10, 11 -> { // gauge, sum, histogram, exponential histogram, summary
                    for (Fields data = metric.message(); data.next(); ) {
                        if (data.number == 1) {
                            earliest = Math.min(earliest, firstOf(data.message(), 3, 3));
                        }
                    }
                }
                default -> {} // name, description, unit, metadata
            }
        }
        return earliest;
    }

    /** Returns the time in a field, or in another one if that is 0, or MAX_VALUE if none is positive. */
    private static long firstOf(Fields item, int field, int other) {
        long first = 0;
        long second = 0;
        while (item.next()) {
            if (item.number == field) {
                first = item.fixed64();
            } else if (item.number == other) {
                second = item.fixed64();
            }
        }
        long time = first != 0 ? first : second;
        return time > 0 ? time : Long.MAX_VALUE;
    }
}
