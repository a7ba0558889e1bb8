// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

/** The worker rejected a request and continues. The state of the shard is what it was before. */
final class WorkerRejection extends Exception {
    WorkerRejection(String message) {
        super(message);
    }
}
