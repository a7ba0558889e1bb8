// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

/** The signal of an OTLP message, with its letter in the protocol of the worker. */
public enum Signal {
    METRICS('m'),
    LOGS('l'),
    TRACES('t');

    /** Letter in the protocol of the worker. */
    final byte letter;

    Signal(char letter) {
        this.letter = (byte) letter;
    }
}
