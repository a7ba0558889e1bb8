// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.io.Serializable;
import java.time.Duration;

/** The settings of an {@link AuspexFunction}. README.md states what each one costs. */
public final class AuspexSettings implements Serializable {
    String worker;
    String engine = "{}";
    Duration interval = Duration.ofSeconds(10);
    Duration backlog = Duration.ofMinutes(1);
    long memory = 256L << 20; // bytes
    Duration timeout = Duration.ofMinutes(2);

    /** Sets the path of the program {@code auspex} on the TaskManagers. By default, that of the jar. */
    public AuspexSettings worker(String path) {
        worker = path;
        return this;
    }

    /** Sets the settings of the engine as a JSON object, such as {@code {"false_alarms": 5}}: see engines/worker/README.md. */
    public AuspexSettings engine(String json) {
        engine = json;
        return this;
    }

    /** Sets the event time after which the records of a shard are evaluated together, at least 1 ms. By default 10 s. */
    public AuspexSettings interval(Duration interval) {
        if (interval.toMillis() < 1) {
            throw new IllegalArgumentException("the interval is " + interval + ": must be at least 1 ms");
        }
        this.interval = interval;
        return this;
    }

    /**
     * Sets how long records that arrive behind the watermark wait for others of their interval, if their shard is not yet
     * evaluated past it. By default 1 minute of processing time.
     */
    public AuspexSettings backlog(Duration backlog) {
        this.backlog = backlog;
        return this;
    }

    /**
     * Sets the memory for the states of shards in the worker of each task, in MiB. By default 256. As many shards, and at
     * least 32, are also in use as engines, which takes about as much memory again.
     */
    public AuspexSettings memoryMib(int mib) {
        if (mib < 1) {
            throw new IllegalArgumentException("the memory is " + mib + " MiB: must be at least 1");
        }
        return memory((long) mib << 20);
    }

    /** Returns the number of shards that are in use as engines. */
    int live() {
        return (int) Math.max(32, memory >> 20);
    }

    /** Sets the memory in bytes. */
    AuspexSettings memory(long bytes) {
        memory = bytes;
        return this;
    }

    /** Sets the time after which a worker that has not replied is killed. */
    AuspexSettings timeout(Duration timeout) {
        this.timeout = timeout;
        return this;
    }
}
