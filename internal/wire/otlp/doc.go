// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package otlp estimates the memory of decoded OTLP requests without decoding them. A few
// kilobytes on the wire can become gigabytes: an empty log record has 2 bytes in protobuf, and
// about 250 as a struct.
package otlp
