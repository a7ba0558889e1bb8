// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

/** How far a shard is evaluated. It is a Flink POJO, and part of the state of the job. */
public class Progress {
    /** Event time in milliseconds, exclusive. Records before it are in the snapshot or in the journal. */
    public long until = Long.MIN_VALUE;
    /** Cost of the records that were evaluated since the snapshot, in bytes. */
    public long journalBytes;
    /** Bytes of the snapshot. */
    public long snapshotBytes;
    /** Whether buckets wait that were behind the watermark when they arrived. */
    public boolean backlog;
    /** Why the shard is set aside, or null. */
    public String failure;

    /** Returns whether the worker has nothing to restore. */
    boolean fresh() {
        return journalBytes == 0 && snapshotBytes == 0;
    }
}
