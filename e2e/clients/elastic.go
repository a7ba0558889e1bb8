// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const elasticTime = "2006-01-02T15:04:05.000Z"

// document returns a log record in the format of Beats.
func (l Log) document(service string) string {
	return fmt.Sprintf(`"@timestamp":%q,"message":%q,"service":{"name":%q}`, l.Time.UTC().Format(elasticTime), l.Text, service)
}

// lumberjack sends the logs of a batch in one window over a new connection.
func lumberjack(ctx context.Context, at string, b Batch) error {
	var frames []byte
	for i, l := range b.Logs {
		text := "{" + l.document(b.Service)
		if l.ID != "" {
			text += fmt.Sprintf(`,"@metadata":{"_id":%q}`, l.ID)
		}
		frames = append(frames, dataFrame(i+1, text+"}")...)
	}
	conn, err := dialTCP(ctx, at)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	return errors.Join(conn.SetDeadline(time.Now().Add(AnswerWithin)), writeWindow(conn, len(b.Logs), frames), readAck(conn, len(b.Logs)))
}

func dialTCP(ctx context.Context, at string) (net.Conn, error) {
	return (&net.Dialer{Timeout: AnswerWithin}).DialContext(ctx, "tcp", at)
}

// dataFrame returns a Lumberjack JSON data frame.
func dataFrame(number int, text string) []byte {
	b := binary.BigEndian.AppendUint32([]byte("2J"), uint32(number))
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

func writeWindow(conn net.Conn, events int, frames []byte) error {
	_, err := conn.Write(append(binary.BigEndian.AppendUint32([]byte("2W"), uint32(events)), frames...))
	return err
}

func readAck(conn net.Conn, events int) error {
	var ack [6]byte
	for {
		if _, err := io.ReadFull(conn, ack[:]); err != nil {
			return err
		}
		if int(binary.BigEndian.Uint32(ack[2:])) == events {
			return nil
		}
	}
}

// bulk sends the logs of a batch in one request to _bulk.
func bulk(ctx context.Context, web *http.Client, at string, b Batch) error {
	var body bytes.Buffer
	for _, l := range b.Logs {
		id := ""
		if l.ID != "" {
			id = fmt.Sprintf(`,"_id":%q`, l.ID)
		}
		fmt.Fprintf(&body, "{\"create\":{\"_index\":\"logs-bulk-default\"%s}}\n{%s}\n", id, l.document(b.Service))
	}
	status, answer := Post(ctx, web, "http://"+at+"/_bulk", "application/x-ndjson", nil, body.Bytes())
	if err := succeeded(status, answer); err != nil {
		return err
	}
	var items struct {
		Errors bool `json:"errors"`
	}
	if err := json.Unmarshal(answer, &items); err != nil {
		return err
	}
	if items.Errors {
		return errors.New("the receiver rejected items of the bulk request")
	}
	return nil
}
