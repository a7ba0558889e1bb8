// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** OTLP in protobuf for tests. Field numbers are those of opentelemetry-proto. */
final class Messages {
    /** 2026-05-04 00:00 UTC in milliseconds. */
    static final long START = 1777852800_000L;
    static final long STEP = 10_000;

    private Messages() {}

    /** Returns a message of a gauge with one point for each time and value. Times are in milliseconds. */
    static byte[] gauge(String service, String name, double[]... points) {
        byte[] data = {};
        for (double[] p : points) {
            data = join(data, bytes(1, join(fixed64(3, (long) p[0] * 1_000_000), fixed64(4, Double.doubleToLongBits(p[1])))));
        }
        return bytes(1, join(resource(service), bytes(2, bytes(2, join(text(1, name), bytes(5, data))))));
    }

    /** Returns a message with log records with the given times in milliseconds. */
    static byte[] logs(String service, String line, long... times) {
        byte[] records = {};
        for (long time : times) {
            records = join(records, bytes(2, join(fixed64(1, time * 1_000_000), bytes(5, text(1, line)))));
        }
        return bytes(1, join(resource(service), bytes(2, records)));
    }

    /** Returns a message with one span. Times are in milliseconds. */
    static byte[] span(String service, long from, long to) {
        byte[] span = join(bytes(1, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}), bytes(2, new byte[] {1, 2, 3, 4, 5, 6, 7, 8}),
                text(5, "GET /"), fixed64(7, from * 1_000_000), fixed64(8, to * 1_000_000));
        return bytes(1, join(resource(service), bytes(2, bytes(2, span))));
    }

    /** Returns a field with a resource that has service.name. */
    static byte[] resource(String service) {
        return bytes(1, attribute("service.name", service));
    }

    /** The collector writes the value before the key. */
    static byte[] attribute(String key, String value) {
        return bytes(1, join(bytes(2, text(1, value)), text(1, key)));
    }

    static byte[] text(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] bytes(int field, byte[] value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        varint(out, field << 3 | 2);
        varint(out, value.length);
        out.writeBytes(value);
        return out.toByteArray();
    }

    static byte[] fixed64(int field, long value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        varint(out, field << 3 | 1);
        for (int i = 0; i < 8; i++) {
            out.write((int) (value >>> 8 * i));
        }
        return out.toByteArray();
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    private static void varint(ByteArrayOutputStream out, int value) {
        for (; value > 0x7f; value >>>= 7) {
            out.write(value & 0x7f | 0x80);
        }
        out.write(value);
    }

    /**
     * Returns the telemetry of services, in the order of time: every ten seconds a point, a log record, and a span of
     * each. In a fault of five minutes, the gauge of every second service is high.
     */
    static List<OtlpRecord> fleet(int services, int minutes, int faultMinute) {
        Random random = new Random(7);
        List<OtlpRecord> list = new ArrayList<>();
        for (long t = START; t < START + minutes * 60_000L; t += STEP) {
            boolean fault = t >= START + faultMinute * 60_000L && t < START + (faultMinute + 5) * 60_000L;
            for (int s = 0; s < services; s++) {
                String service = "service-" + s;
                double value = 100 + random.nextGaussian() + (fault && s % 2 == 0 ? 80 : 0);
                list.addAll(OtlpSplitter.split(Signal.METRICS, gauge(service, "load", new double[] {t, value}), "m@" + list.size()));
                list.addAll(OtlpSplitter.split(Signal.LOGS, logs(service, "charged 12 to account " + s, t + 3), "l@" + list.size()));
                list.addAll(OtlpSplitter.split(Signal.TRACES, span(service, t + 1, t + 20 + random.nextInt(5)), "t@" + list.size()));
            }
        }
        return list;
    }

    /** Returns the list with elements moved by up to a number of places. */
    static List<OtlpRecord> disordered(List<OtlpRecord> list, int places) {
        Random random = new Random(11);
        List<OtlpRecord> copy = new ArrayList<>(list);
        for (int i = 0; i + places <= copy.size(); i += places) {
            Collections.shuffle(copy.subList(i, i + places), random);
        }
        return copy;
    }
}
