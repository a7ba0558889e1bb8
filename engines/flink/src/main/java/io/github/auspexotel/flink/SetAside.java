// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

/** A message, or all messages of a shard from one on, that the job does not evaluate. It is a Flink POJO. */
public class SetAside {
    /** The shard, or empty if the message could not be read. */
    public String shard;
    /** What happened. */
    public String reason;
    /** Where the message comes from: topic, partition, and offset. */
    public String position;
    /** Letter of the {@link Signal}. */
    public byte signal;
    /** The message. */
    public byte[] otlp;

    public SetAside() {}

    SetAside(String shard, String reason, String position, byte signal, byte[] otlp) {
        this.shard = shard;
        this.reason = reason;
        this.position = position;
        this.signal = signal;
        this.otlp = otlp;
    }

    SetAside(OtlpRecord record, String reason) {
        this(record.shard, reason, record.position, record.signal, record.otlp);
    }
}
