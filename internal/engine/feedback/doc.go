// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package feedback stores feedback of users on series, templates, operations, and services: silences, and behavior
// that is normal. It expires feedback and keeps an audit list.
package feedback
