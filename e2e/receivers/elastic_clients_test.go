// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receivers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"
	lumber "github.com/elastic/go-lumber/client/v2"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// elasticSender runs a client that sends events 0 to count-1 and writes its lists.
type elasticSender func(ctx context.Context, name string, count int) error

// list appends numbers to a client's list.
func (d *elasticReceivers) list(name, list string, numbers ...int) error {
	var b strings.Builder
	for _, n := range numbers {
		fmt.Fprintln(&b, n)
	}
	f, err := os.OpenFile(filepath.Join(d.folder, name+"."+list), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(b.String())
	return errors.Join(err, f.Close())
}

func (d *elasticReceivers) event(name string, n int) string {
	return fmt.Sprintf(`{"@timestamp":%q,"message":"line %d of %s","run":%q,"sender":%q,"n":%d}`,
		time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), n, name, d.run, name, n)
}

// sendWithScript runs a client as a separate process with the arguments ADDRESS RUN SENDER COUNT FOLDER.
func (d *elasticReceivers) sendWithScript(address string, command ...string) elasticSender {
	return func(ctx context.Context, name string, count int) error {
		command := append(slices.Clone(command), address, d.run, name, strconv.Itoa(count), d.folder)
		modules := filepath.Join(d.peers, "lumberjack-clients", "node", "node_modules")
		if output, err := peertest.Run(ctx, d.t, []string{"NODE_PATH=" + modules}, command...); err != nil {
			return fmt.Errorf("%w\n%s", err, output)
		}
		return nil
	}
}

func (d *elasticReceivers) sendWithGoLumber(ctx context.Context, name string, count int) error {
	const window = 500
	for first := 0; first < count; first += window {
		var events []any
		var numbers []int
		for n := first; n < min(first+window, count); n++ {
			numbers = append(numbers, n)
			events = append(events, map[string]any{"message": fmt.Sprint("line ", n), "run": d.run, "sender": name, "n": n, "@metadata": map[string]any{"_id": fmt.Sprint(d.run, name, n)}})
		}
		if err := d.list(name, "sent", numbers...); err != nil {
			return err
		}
		for ; ; time.Sleep(50 * time.Millisecond) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			client, err := lumber.SyncDial(d.lumberjack, lumber.CompressionLevel(3), lumber.Timeout(15*time.Second))
			if err != nil {
				continue
			}
			// A collector that waits for Elasticsearch blocks the client. Closing the client ends the wait.
			stop := context.AfterFunc(ctx, func() { _ = client.Close() })
			_, err = client.Send(events)
			stop()
			_ = client.Close()
			if err == nil {
				break
			}
		}
		if err := d.list(name, "acknowledged", numbers...); err != nil {
			return err
		}
	}
	return nil
}

// sendWithGoElasticsearch sends with the bulk indexer and resends rejected items.
func (d *elasticReceivers) sendWithGoElasticsearch(ctx context.Context, name string, count int) error {
	es, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: []string{"http://" + d.bulk}, CompressRequestBody: true, RetryOnStatus: []int{429, 502, 503, 504}})
	if err != nil {
		return err
	}
	left := map[int]bool{}
	var all []int
	for n := range count {
		left[n] = true
		all = append(all, n)
	}
	if err := d.list(name, "sent", all...); err != nil {
		return err
	}
	for len(left) > 0 && ctx.Err() == nil {
		indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: es, Index: "logs-receivers-go", NumWorkers: 2, FlushBytes: 50_000})
		if err != nil {
			return err
		}
		var mu sync.Mutex
		var done []int
		for n := range left {
			err := indexer.Add(ctx, esutil.BulkIndexerItem{
				Action: "create", DocumentID: fmt.Sprint(d.run, name, n), Body: strings.NewReader(d.event(name, n)),
				OnSuccess: func(context.Context, esutil.BulkIndexerItem, esutil.BulkIndexerResponseItem) {
					mu.Lock()
					defer mu.Unlock()
					done = append(done, n)
				},
			})
			if err != nil {
				break
			}
		}
		_ = indexer.Close(ctx) // left holds the rejected items
		mu.Lock()
		numbers := done
		mu.Unlock()
		for _, n := range numbers {
			delete(left, n)
		}
		if err := d.list(name, "acknowledged", numbers...); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// lines writes events as lines of a file, and lists them as sent.
func (d *elasticReceivers) lines(name, file string, count int) (size int64, err error) {
	var b strings.Builder
	var numbers []int
	for n := range count {
		fmt.Fprintln(&b, d.event(name, n))
		numbers = append(numbers, n)
	}
	return int64(b.Len()), errors.Join(os.WriteFile(file, []byte(b.String()), 0o600), d.list(name, "sent", numbers...))
}

var filebeatOffset = regexp.MustCompile(`"offset":(\d+)`)

// sendWithFilebeat runs Filebeat on a file. Events before the offset in Filebeat's registry count as acknowledged:
// Filebeat would not read them again.
func (d *elasticReceivers) sendWithFilebeat(output string) elasticSender {
	return func(ctx context.Context, name string, count int) error {
		home := filepath.Join(d.folder, name)
		if err := os.MkdirAll(home, 0o700); err != nil {
			return err
		}
		file := filepath.Join(home, "shop.log")
		size, err := d.lines(name, file, count)
		if err != nil {
			return err
		}
		config := "filebeat.inputs: [{type: log, paths: ['" + file + "'], json: {keys_under_root: true, add_error_key: true}}]\n" +
			"processors: [{add_host_metadata: ~}]\nqueue.mem.flush.timeout: 0s\nfilebeat.registry.flush: 0s\n" + output + "\n"
		if err := os.WriteFile(filepath.Join(home, "filebeat.yml"), []byte(config), 0o600); err != nil {
			return err
		}
		filebeat, err := peertest.Program{
			Name: "Filebeat", Path: filepath.Join(d.peers, "filebeat-7.17.29", "filebeat"), Log: filepath.Join(home, "filebeat.log"),
			Args: []string{"-e", "--strict.perms=false", "--path.home", home, "-c", filepath.Join(home, "filebeat.yml")},
		}.Launch(d.t)
		if err != nil {
			return err
		}
		defer filebeat.Kill()
		for ; ; time.Sleep(100 * time.Millisecond) {
			offset := int64(-1)
			registry, _ := os.ReadFile(filepath.Join(home, "data", "registry", "filebeat", "log.json"))
			for _, m := range filebeatOffset.FindAllStringSubmatch(string(registry), -1) {
				offset, _ = strconv.ParseInt(m[1], 10, 64)
			}
			if offset < size && ctx.Err() == nil {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			var numbers []int
			for n := range strings.Count(string(text[:max(0, min(offset, size))]), "\n") {
				numbers = append(numbers, n)
			}
			if err := d.list(name, "acknowledged", numbers...); err != nil {
				return err
			}
			if ctx.Err() != nil {
				said := filebeat.Log()
				return fmt.Errorf("%w; the end of Filebeat's log: %s", ctx.Err(), said[max(0, len(said)-2000):])
			}
			return nil
		}
	}
}

var rsyslogStats = regexp.MustCompile(`"submitted": (\d+).*"failed.http": (\d+).*"failed.httprequests": (\d+).*"failed.es": (\d+)`)

// sendWithRsyslog writes to rsyslog's TCP input. Its omelasticsearch module forwards. It has no list of acknowledged
// events. All events count as acknowledged if its counters report all as submitted and none as failed, and its error
// file is empty.
func (d *elasticReceivers) sendWithRsyslog(ctx context.Context, name string, count int) error {
	root, home := filepath.Join(d.peers, "lumberjack-clients", "rsyslog"), filepath.Join(d.folder, name)
	if _, err := os.Stat(root); err != nil {
		return fmt.Errorf("cannot find rsyslog, which scripts/clients.sh installs from Debian packages with apt-get: %w", err)
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(d.bulk)
	if err != nil {
		return err
	}
	file, stats, failures := filepath.Join(home, "in.log"), filepath.Join(home, "stats.log"), filepath.Join(home, "errors.log")
	if _, err := d.lines(name, file, count); err != nil {
		return err
	}
	config := fmt.Sprintf(`global(workDirectory="%[1]s")
module(load="impstats" interval="1" format="json" resetCounters="off" log.syslog="off" log.file="%[2]s")
main_queue(queue.size="2000000" queue.dequeuebatchsize="500")
module(load="imfile")
module(load="omelasticsearch")
template(name="document" type="string" string="%%msg%%")
input(type="imfile" file="%[3]s" tag="receivers")
if $syslogtag == "receivers" then action(type="omelasticsearch" server="127.0.0.1" serverport="%[4]s" searchIndex="receivers-rsyslog" searchType="" bulkmode="on"
  template="document" errorfile="%[5]s" action.resumeretrycount="-1" action.resumeinterval="1")
`, home, stats, file, port, failures)
	if err := os.WriteFile(filepath.Join(home, "rsyslog.conf"), []byte(config), 0o600); err != nil {
		return err
	}
	libraries := filepath.Join(root, "usr", "lib", "x86_64-linux-gnu")
	rsyslog, err := peertest.Program{
		Name: "rsyslog", Path: filepath.Join(root, "usr", "sbin", "rsyslogd"), Log: filepath.Join(home, "rsyslog.log"), Env: []string{"LD_LIBRARY_PATH=" + libraries},
		Args: []string{"-n", "-f", filepath.Join(home, "rsyslog.conf"), "-i", filepath.Join(home, "pid"), "-M", filepath.Join(libraries, "rsyslog")},
	}.Launch(d.t)
	if err != nil {
		return err
	}
	defer rsyslog.Kill()
	for ; ; time.Sleep(200 * time.Millisecond) {
		text, _ := os.ReadFile(stats)
		refused, _ := os.ReadFile(failures)
		if len(refused) > 0 {
			return fmt.Errorf("omelasticsearch failed permanently: %s", refused[:min(len(refused), 2000)])
		}
		for _, m := range rsyslogStats.FindAllStringSubmatch(string(text), -1) {
			submitted, _ := strconv.Atoi(m[1])
			if submitted >= count && m[3] == "0" && m[4] == "0" && quiet(string(text)) {
				numbers := make([]int, count)
				for n := range numbers {
					numbers[n] = n
				}
				return d.list(name, "acknowledged", numbers...)
			}
		}
		if ctx.Err() != nil {
			_ = d.list(name, "acknowledged")
			return fmt.Errorf("%w: %s\n%s", ctx.Err(), rsyslog.Log(), text[max(0, len(text)-2000):])
		}
	}
}

// quiet reports whether rsyslog's queues were empty in its last report.
func quiet(stats string) bool {
	sizes := regexp.MustCompile(`"main Q".*"size": (\d+)`).FindAllStringSubmatch(stats, -1)
	return len(sizes) > 0 && sizes[len(sizes)-1][1] == "0"
}
