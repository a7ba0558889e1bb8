// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;

/** The metrics of a task, in the group {@code auspex}. */
final class Counters {
    /** Records that were evaluated. */
    final Counter evaluated;
    /** Records whose interval was evaluated before they arrived. */
    final Counter late;
    /** Records that were equal to another one that waited. */
    final Counter repeated;
    /** Records that the worker rejected, and shards that were set aside. */
    final Counter errors;
    /** Records of shards that are set aside, without the one that was the reason. */
    final Counter failedShard;
    /** Workers that died. */
    final Counter restarts;
    /** Shards that were restored in the worker, because they were not in it. */
    final Counter restored;
    /** Records of the journal that were evaluated again to restore a shard. */
    final Counter replayed;
    final Counter snapshots;
    final Counter snapshotBytes;

    Counters(MetricGroup group) {
        MetricGroup auspex = group.addGroup("auspex");
        evaluated = auspex.counter("evaluated");
        late = auspex.counter("late");
        repeated = auspex.counter("repeated");
        errors = auspex.counter("errors");
        failedShard = auspex.counter("failed_shard");
        restarts = auspex.counter("worker_restarts");
        restored = auspex.counter("restored");
        replayed = auspex.counter("replayed");
        snapshots = auspex.counter("snapshots");
        snapshotBytes = auspex.counter("snapshot_bytes");
    }
}
