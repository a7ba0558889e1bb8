// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os/exec"
)

// opener is the program that opens an address in the user's browser.
const opener = "xdg-open"

// hasDesktop reports whether the environment has a display on which a browser can be opened.
func hasDesktop(getenv func(string) string) bool {
	if getenv("DISPLAY") == "" && getenv("WAYLAND_DISPLAY") == "" {
		return false
	}
	_, err := exec.LookPath(opener)
	return err == nil
}

// browse opens an address in the user's browser. It does not wait for it.
func browse(url string) error {
	cmd := exec.Command(opener, url)
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return nil
}
