// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import static io.github.auspexotel.flink.Messages.START;
import static io.github.auspexotel.flink.Messages.attribute;
import static io.github.auspexotel.flink.Messages.bytes;
import static io.github.auspexotel.flink.Messages.fixed64;
import static io.github.auspexotel.flink.Messages.gauge;
import static io.github.auspexotel.flink.Messages.join;
import static io.github.auspexotel.flink.Messages.logs;
import static io.github.auspexotel.flink.Messages.span;
import static io.github.auspexotel.flink.Messages.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class OtlpSplitterTest {
    private static OtlpRecord only(Signal signal, byte[] message) {
        List<OtlpRecord> records = OtlpSplitter.split(signal, message, "topic-1@2");
        assertEquals(1, records.size());
        return records.get(0);
    }

    @Test
    void aMessageOfOneShardIsNotCopied() {
        byte[] message = join(gauge("cart", "load", new double[] {START + 5, 1}), gauge("cart", "load", new double[] {START, 1}));
        OtlpRecord record = only(Signal.METRICS, message);
        assertSame(message, record.otlp);
        assertEquals("cart", record.shard);
        assertEquals('m', record.signal);
        assertEquals(START * 1_000_000, record.time);
        assertEquals(START, record.timestamp());
        assertEquals("topic-1@2", record.position);
    }

    @Test
    void resourcesAreDividedByShard() {
        byte[] cart = gauge("cart", "load", new double[] {START + 5, 1});
        byte[] pay = gauge("pay", "load", new double[] {START, 1});
        List<OtlpRecord> records = OtlpSplitter.split(Signal.METRICS, join(cart, pay, cart), "");
        assertEquals(List.of("cart", "pay"), records.stream().map(r -> r.shard).toList());
        assertArrayEquals(join(cart, cart), records.get(0).otlp);
        assertArrayEquals(pay, records.get(1).otlp);
        assertEquals((START + 5) * 1_000_000, records.get(0).time);
        assertEquals(START * 1_000_000, records.get(1).time);
    }

    @Test
    void theShardIsTheNamespaceOrTheServiceOrTheHost() {
        byte[] host = attribute("host.name", "h1");
        byte[] name = attribute("service.name", "cart");
        byte[] namespace = attribute("service.namespace", "shop");
        assertEquals("shop", shardOf(host, name, namespace));
        assertEquals("cart", shardOf(name, host));
        assertEquals("cart", shardOf(attribute("service.namespace", ""), name));
        assertEquals("cart", shardOf(bytes(1, join(text(1, "service.name"), bytes(2, text(1, "cart")))))); // the key first
        assertEquals("h1", shardOf(attribute("other", "x"), host));
        assertEquals(OtlpSplitter.UNKNOWN, shardOf());
        assertEquals(OtlpSplitter.UNKNOWN, shardOf(bytes(1, join(text(1, "service.name"), bytes(2, fixed64(4, 1)))))); // a number
    }

    private static String shardOf(byte[]... attributes) {
        return only(Signal.LOGS, bytes(1, bytes(1, join(attributes)))).shard;
    }

    @Test
    void theTimeIsTheEarliestOfAllItems() {
        assertEquals((START + 1) * 1_000_000, only(Signal.LOGS, logs("cart", "x", START + 3, START + 1, START + 2)).time);
        assertEquals((START + 4) * 1_000_000, only(Signal.TRACES, span("cart", START + 4, START + 9)).time);
        byte[] observed = bytes(1, join(bytes(2, bytes(2, join(fixed64(1, 0), fixed64(11, 42))))));
        assertEquals(42, only(Signal.LOGS, observed).time);
        assertEquals(0, only(Signal.LOGS, logs("cart", "x", 0)).time);
        for (int kind : new int[] {5, 7, 9, 10, 11}) {
            byte[] metric = join(text(1, "x"), bytes(kind, join(bytes(1, fixed64(3, 9)), bytes(1, fixed64(3, 7)))));
            assertEquals(7, only(Signal.METRICS, bytes(1, bytes(2, bytes(2, metric)))).time, "field " + kind);
        }
    }

    @Test
    void anEmptyMessageHasNoRecords() {
        assertTrue(OtlpSplitter.split(Signal.LOGS, new byte[0], "").isEmpty());
    }

    @Test
    void bytesThatAreNotOtlpAreRejected() {
        byte[] message = logs("cart", "a line", START);
        for (byte[] broken : List.of("garbage".getBytes(), Arrays.copyOf(message, message.length - 1), new byte[] {0x0a, (byte) 0x80}, fixed64(1, 1), new byte[] {2, 0})) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> OtlpSplitter.split(Signal.LOGS, broken, ""));
            assertTrue(e.getMessage().startsWith("not OTLP in protobuf: "), e.getMessage());
        }
    }
}
