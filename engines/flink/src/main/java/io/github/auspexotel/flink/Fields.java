// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.nio.charset.StandardCharsets;

/**
 * Reads the fields of a protobuf message, which are in any order, without decoding their content. Texts are not checked for UTF-8, as in the
 * collector.
 */
final class Fields {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private final byte[] message;
    private final int end;
    private int next;

    /** Number of the present field. */
    int number;
    /** First byte of the present field, with its tag. */
    int start;
    /** The value of the present field: bytes from {@code from} to {@code to} of the message. */
    int from;
    int to;

    private int type;

    Fields(byte[] message) {
        this(message, 0, message.length);
    }

    private Fields(byte[] message, int from, int end) {
        this.message = message;
        this.next = from;
        this.end = end;
    }

    /** Moves to the next field. Throws IllegalArgumentException if the message is malformed. */
    boolean next() {
        if (next == end) {
            return false;
        }
        start = next;
        long tag = varint();
        number = (int) (tag >>> 3);
        type = (int) (tag & 7);
        long length;
        switch (type) {
            case VARINT -> {
                from = next;
                varint();
                to = next;
                return true;
            }
            case FIXED64 -> length = 8;
            case FIXED32 -> length = 4;
            case BYTES -> length = varint();
            default -> throw malformed("type " + type + " of field " + number);
        }
        if (number == 0 || length < 0 || length > end - next) {
            throw malformed("field " + number + " of " + length + " bytes");
        }
        from = next;
        to = next = from + (int) length;
        return true;
    }

    /** Returns the fields of the present field, which must be a message. */
    Fields message() {
        require(BYTES);
        return new Fields(message, from, to);
    }

    /** Returns the present field as text. */
    String text() {
        require(BYTES);
        return new String(message, from, to - from, StandardCharsets.UTF_8);
    }

    /** Returns the present field, which must be fixed64. */
    long fixed64() {
        require(FIXED64);
        long value = 0;
        for (int i = to - 1; i >= from; i--) {
            value = value << 8 | message[i] & 0xff;
        }
        return value;
    }

    /** Returns the name and the text of an attribute, KeyValue, or null instead of a value that is not a text. */
    static Attribute attribute(Fields keyValue) {
        String key = "";
        String text = null;
        while (keyValue.next()) {
            if (keyValue.number == 1) {
                key = keyValue.text();
            } else if (keyValue.number == 2) {
                for (Fields value = keyValue.message(); value.next(); ) {
                    text = value.number == 1 ? value.text() : null;
                }
            }
        }
        return new Attribute(key, text);
    }

    record Attribute(String key, String text) {}

    private void require(int wanted) {
        if (type != wanted) {
            throw malformed("type " + type + " of field " + number + ": must be " + wanted);
        }
    }

    private long varint() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (next == end) {
                throw malformed("the end within a number");
            }
            byte b = message[next++];
            value |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw malformed("a number of more than ten bytes");
    }

    private IllegalArgumentException malformed(String what) {
        return new IllegalArgumentException("not OTLP in protobuf: " + what + " at byte " + next);
    }
}
