// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.io.IOException;

/** The worker ended, did not reply in time, or broke the protocol. All shards in it are lost. */
final class WorkerDeath extends IOException {
    WorkerDeath(String what, Throwable cause) {
        super(what, cause);
    }
}
