// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.util.ArrayList;
import java.util.List;

/** The results of one evaluation of a shard. */
final class Evaluation {
    private static final byte[] NOTHING = {};

    final List<byte[]> replies = new ArrayList<>();
    final List<SetAside> rejected = new ArrayList<>();
    byte[] gauges = NOTHING;

    /** Returns the findings in the replies, which are OTLP logs with a ResourceLogs for each one. */
    List<Finding> findings(String shard) {
        List<Finding> list = new ArrayList<>();
        for (byte[] reply : replies) {
            for (Fields logs = new Fields(reply); logs.next(); ) {
                list.add(Finding.of(shard, java.util.Arrays.copyOfRange(reply, logs.start, logs.to)));
            }
        }
        return list;
    }
}
