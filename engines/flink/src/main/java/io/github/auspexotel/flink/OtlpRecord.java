// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.util.Arrays;
import java.util.Comparator;

/** The resources of an OTLP message that belong to one shard. It is a Flink POJO, and part of the state of the job. */
public class OtlpRecord {
    /** The order in which a shard is evaluated. It is total for different messages, so that each run has the same order. */
    static final Comparator<OtlpRecord> ORDER =
            Comparator.<OtlpRecord>comparingLong(r -> r.time).thenComparingInt(r -> r.signal).thenComparing(r -> r.otlp, Arrays::compareUnsigned);

    /** Nanoseconds per millisecond, the unit of Flink's timestamps. */
    private static final long MILLI = 1_000_000;

    /** {@code service.namespace} of the resources, or otherwise {@code service.name}, {@code host.name}, or {@code unknown_service}. */
    public String shard;
    /** Letter of the {@link Signal}: m, l, or t. */
    public byte signal;
    /** Earliest event time in nanoseconds since 1970. */
    public long time;
    /** The message in protobuf. */
    public byte[] otlp;
    /** Where the message comes from, for reports: topic, partition, and offset. */
    public String position;

    public OtlpRecord() {}

    OtlpRecord(String shard, byte signal, long time, byte[] otlp, String position) {
        this.shard = shard;
        this.signal = signal;
        this.time = time;
        this.otlp = otlp;
        this.position = position;
    }

    /** Returns the event time in milliseconds, for Flink. */
    public long timestamp() {
        return Math.floorDiv(time, MILLI);
    }
}
