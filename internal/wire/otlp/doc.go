// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package otlp estimates how much memory an OTLP request takes once it is decoded,
// without decoding it. A few kilobytes on the wire can become gigabytes: an empty
// log record has 2 bytes in protobuf, and some 250 as a struct.
package otlp
