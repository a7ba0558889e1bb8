// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "errors"

func enclose() error { return errors.New("user namespaces require Linux") }

func mountSmall(string, int) error { return errors.New("user namespaces require Linux") }
