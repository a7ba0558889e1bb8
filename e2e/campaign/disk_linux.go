// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// enclosed is the environment variable that enclose sets for its child process.
const enclosed = "AUSPEX_CAMPAIGN_ENCLOSED"

// enclose runs the program again in a user namespace, where it may mount file systems without root privileges, and
// exits with its exit code. In the child process it returns nil.
func enclose() error {
	if os.Getenv(enclosed) != "" {
		return nil
	}
	runtime.LockOSThread()                                  // the kernel kills the child when this thread ends
	child := exec.Command("/proc/self/exe", os.Args[1:]...) //nolint:noctx,gosec // ends by itself; the arguments are its own
	child.Env = append(os.Environ(), enclosed+"=1")
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	err := child.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		return err
	}
	os.Exit(0)
	return nil
}

// mountSmall mounts a tmpfs of the given size on a folder. The mount ends with the program.
func mountSmall(dir string, bytes int) error {
	if os.Getenv(enclosed) == "" {
		return errors.New("not in a user namespace, so a file system cannot be mounted")
	}
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", bytes))
}
