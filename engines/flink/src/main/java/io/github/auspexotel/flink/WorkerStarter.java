// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package io.github.auspexotel.flink;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/** Starts workers, from a program on the machine or from the one in the jar. */
final class WorkerStarter {
    private static final String RESOURCE = "auspex";

    private WorkerStarter() {}

    /**
     * Starts a worker. The program in the jar is written to a temporary file, which is deleted once it runs. Only one
     * thread does this at a time: a process that starts at the same moment would inherit the open file, which then cannot
     * be executed.
     */
    static synchronized Worker start(AuspexSettings settings) throws IOException {
        if (settings.worker != null) {
            return new Worker(Path.of(settings.worker), settings);
        }
        try (InputStream program = WorkerStarter.class.getResourceAsStream(RESOURCE)) {
            if (program == null) {
                throw new IOException("this jar contains no program auspex: build it with engines/build.sh flink, or set the path of the worker");
            }
            Path file = Files.createTempFile("auspex-", "", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            try {
                Files.copy(program, file, StandardCopyOption.REPLACE_EXISTING);
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
                return new Worker(file, settings);
            } finally {
                Files.delete(file);
            }
        }
    }
}
