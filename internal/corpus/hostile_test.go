// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/auspex-otel/auspex/internal/golden"
	"github.com/auspex-otel/auspex/internal/peertest"
)

const mebibyte = 1 << 20

// hostile is a request that is small on the wire and takes much memory or time if limits are
// missing. Its fields are those of testdata/hostile/requests.json.
type hostile struct {
	Name       string   `json:"name"`
	Receivers  []string `json:"receivers"`
	What       string   `json:"what"`
	Path       string   `json:"path,omitempty"`
	Type       string   `json:"content_type,omitempty"`
	Encoding   string   `json:"encoding,omitempty"`
	Unfinished bool     `json:"unfinished,omitempty"`

	body func() []byte
}

const (
	protobuf = "application/x-protobuf"
	ndjson   = "application/x-ndjson"
)

var (
	otlp        = []string{"otlp/grpc", "otlp/http"}
	lumberjack  = []string{"lumberjack"}
	bulk        = []string{"elasticsearch_bulk"}
	remoteWrite = []string{"prometheus_remote_write"}
)

// hostiles lists the requests. testdata/hostile/README.md states their origin.
var hostiles = []hostile{
	{Name: "otlp-buckets", Receivers: otlp, Path: "/v1/metrics", Type: protobuf, Encoding: "gzip", What: "2.9 million buckets of an exponential histogram, each of which is a byte", body: buckets},
	{Name: "otlp-nested", Receivers: otlp, Path: "/v1/logs", Type: protobuf, Encoding: "gzip", What: "lists in each other, 30,000 levels deep", body: func() []byte { return nestedLogs(30_000) }},
	{Name: "otlp-nested-less", Receivers: otlp, Path: "/v1/logs", Type: protobuf, Encoding: "gzip", What: "lists in each other, 9,000 levels deep", body: func() []byte { return nestedLogs(9_000) }},
	{Name: "otlp-records", Receivers: otlp, Path: "/v1/logs", Type: protobuf, Encoding: "gzip", What: "4 million empty log records", body: emptyRecords},
	{Name: "otlp-attributes", Receivers: otlp, Path: "/v1/metrics", Type: protobuf, Encoding: "gzip", What: "7 series, each with an attribute of 1 MiB", body: longAttributes},
	{Name: "otlp-json", Receivers: otlp[1:], Path: "/v1/logs", Type: "application/json", Encoding: "gzip", What: "2.6 million empty log records in JSON", body: func() []byte {
		return []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Repeat("{},", 2_600_000) + `{}]}]}]}`)
	}},
	{Name: "otlp-zstd", Receivers: otlp, Path: "/v1/logs", Type: protobuf, Encoding: "zstd", What: "a frame of zstd whose second table reuses what the first left", body: zstdTables},
	{Name: "lumberjack-numbers", Receivers: lumberjack, Encoding: "zlib", What: "an event of 10 MiB with a list of 5 million numbers", body: func() []byte {
		return event(`{"message":"m","a":[` + strings.Repeat("1,", 5*mebibyte-100) + `1]}`)
	}},
	{Name: "lumberjack-unfinished", Receivers: lumberjack, Encoding: "zlib", Unfinished: true, What: "an event of 10 MiB, of which the last byte never comes", body: func() []byte {
		return event(`{"message":"` + strings.Repeat("a", 10*mebibyte-100) + `"}`)
	}},
	{Name: "lumberjack-nested", Receivers: lumberjack, Encoding: "zlib", What: "an event of 10 MiB with lists in each other", body: func() []byte {
		return event(`{"message":"m","a":` + strings.Repeat("[", 5*mebibyte-100) + strings.Repeat("]", 5*mebibyte-100) + `}`)
	}},
	{Name: "elasticsearch_bulk-items", Receivers: bulk, Path: "/_bulk", Type: ndjson, Encoding: "gzip", What: "a million items that are refused", body: func() []byte {
		return []byte(strings.Repeat("{\"create\":{\"_index\":\"a\"}}\n[]\n", 1_000_000))
	}},
	{Name: "elasticsearch_bulk-numbers", Receivers: bulk, Path: "/_bulk", Type: ndjson, Encoding: "gzip", What: "a document of 10 MiB with a list of 5 million numbers", body: func() []byte {
		return []byte("{\"create\":{\"_index\":\"a\"}}\n" + `{"message":"m","a":[` + strings.Repeat("1,", 5*mebibyte-100) + "1]}\n")
	}},
	{Name: "elasticsearch_bulk-filter", Receivers: bulk, Path: "/_nodes?filter_path=" + strings.Repeat("**.", 190) + "x", What: "a filter_path that a matcher with backtracking never ends with", body: func() []byte { return nil }},
	{Name: "elasticsearch_bulk-document", Receivers: bulk, Path: "/_bulk", Type: ndjson, Encoding: "gzip", What: "a document of 90 MiB", body: func() []byte {
		return []byte("{\"create\":{\"_index\":\"a\"}}\n" + `{"message":"` + strings.Repeat("a", 90*mebibyte) + "\"}\n")
	}},
	{Name: "elasticsearch_bulk-zstd", Receivers: bulk, Path: "/_bulk", Type: ndjson, Encoding: "zstd", What: "a frame of zstd whose second table reuses what the first left", body: zstdTables},
	{Name: "prometheus_remote_write-field", Receivers: remoteWrite, Path: "/api/v1/write", Type: protobuf, Encoding: "snappy", What: "a series, and 15 MiB in an unknown field", body: func() []byte {
		return inBytes(inBytes(nil, 1, series()), 15, make([]byte, 15*mebibyte))
	}},
	{Name: "prometheus_remote_write-series", Receivers: remoteWrite, Path: "/api/v1/write", Type: protobuf, Encoding: "snappy", What: "16 million empty series", body: func() []byte {
		return bytes.Repeat(inBytes(nil, 1, nil), 16*mebibyte-1)
	}},
	{Name: "prometheus_remote_write-symbols", Receivers: remoteWrite, Path: "/api/v1/write", Type: protobuf + ";proto=io.prometheus.write.v2.Request", Encoding: "snappy", What: "3.1 million empty symbols of version 2.0", body: func() []byte {
		return bytes.Repeat(inBytes(nil, 4, nil), 3_100_000)
	}},
}

// inBytes appends a length-delimited field.
func inBytes(to []byte, number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, number, protowire.BytesType), content)
}

// within wraps content into nested messages. The last number is the outermost.
func within(content []byte, numbers ...protowire.Number) []byte {
	for _, n := range numbers {
		content = inBytes(nil, n, content)
	}
	return content
}

func buckets() []byte {
	counts := within(bytes.Repeat([]byte{1}, 1_450_000), 2)
	point := inBytes(inBytes(nil, 8, counts), 9, counts)
	metric := append(within([]byte("h"), 1), within(point, 1, 10)...)
	return within(metric, 2, 2, 1)
}

// zstdTables returns a frame of two blocks of 19 literals. The Huffman tables are those of
// TestDecompressCountOverflow of klauspost/compress (BSD, Apache-2.0, and MIT), which makes
// versions below 1.20.2 panic.
func zstdTables() []byte {
	const literals, compressed, last = 19, 2, 1
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x20, 2 * literals}
	number := func(v int) { frame = append(frame, byte(v), byte(v>>8), byte(v>>16)) }
	for i, table := range [][]byte{
		{0x1a, 0x00, 0x00, 0x00, 0x90, 0xaf, 0xfa, 0xff, 0x03, 0x00, 0x80, 0xff, 0x7f},
		{
			0x1a, 0x00, 0xe0, 0xff, 0x1f, 0x0f, 0xb1, 0x9c, 0x5a, 0xcf, 0x4d, 0xe4, 0x1d, 0x7b,
			0xab, 0x99, 0x5e, 0x01, 0x51, 0xa4, 0x73, 0xd8, 0xb1, 0xf3, 0x39, 0x4b, 0x67, 0xf6,
		},
	} {
		content := slices.Concat([]byte{byte(len(table))}, table, []byte{0x11, 0x22, 0x33, 0x81})
		number(i*last | compressed<<1 | (3+len(content)+1)<<3)
		number(compressed | literals<<4 | len(content)<<14)
		frame = append(append(frame, content...), 0) // without sequences
	}
	return frame
}

// nestedLogs builds nested lists from the innermost, because each level begins with the length of
// the next one.
func nestedLogs(levels int) []byte {
	heads, size := make([][]byte, 0, 2*levels), 0
	for range levels {
		for _, number := range []protowire.Number{1, 5} { // the values of a list, the list of a value
			head := protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.BytesType), uint64(size))
			heads = append(heads, head)
			size += len(head)
		}
	}
	value := make([]byte, 0, size)
	for _, head := range slices.Backward(heads) {
		value = append(value, head...)
	}
	return within(value, 5, 2, 2, 1)
}

func emptyRecords() []byte {
	return within(bytes.Repeat(inBytes(nil, 2, nil), 4_000_000), 2, 1)
}

func longAttributes() []byte {
	var points []byte
	for i := range 7 {
		value := within(bytes.Repeat([]byte{'a' + byte(i)}, mebibyte), 1)
		attribute := inBytes(inBytes(nil, 1, []byte("k")), 2, value)
		points = inBytes(points, 1, inBytes(nil, 7, attribute))
	}
	metric := append(within([]byte("m"), 1), within(points, 5)...)
	return within(metric, 2, 2, 1)
}

// event returns a Lumberjack data frame in JSON.
func event(text string) []byte {
	frame := binary.BigEndian.AppendUint32([]byte("2J"), 1)
	return append(binary.BigEndian.AppendUint32(frame, uint32(len(text))), text...)
}

// series returns a series of remote write 1.0 with a sample that has no timestamp.
func series() []byte {
	label := inBytes(inBytes(nil, 1, []byte("__name__")), 2, []byte("m"))
	return inBytes(inBytes(nil, 1, label), 2, nil)
}

// TestHostileRequests compares bodies after decompression, because compressors may differ.
func TestHostileRequests(t *testing.T) {
	golden.Files(t, peertest.TestData(t, "hostile/requests.json"), func(*testing.T, string) string {
		return string(must(json.MarshalIndent(hostiles, "", "  "))) + "\n"
	})
	for _, h := range hostiles {
		golden.Files(t, peertest.TestData(t, "hostile/"+h.Name+".gz"), func(_ *testing.T, file string) string {
			body := h.body()
			if r, err := gzip.NewReader(strings.NewReader(file)); err == nil {
				if had, err := io.ReadAll(r); err == nil && bytes.Equal(had, body) {
					return file
				}
			}
			var b bytes.Buffer
			w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
			_, _ = w.Write(body)
			_ = w.Close()
			return b.String()
		})
	}
}
