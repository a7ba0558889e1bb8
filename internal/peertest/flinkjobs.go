// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// FlinkJob describes a job to submit.
type FlinkJob struct {
	// Jar is the path of the jar, Main its main class, or empty for that of its manifest.
	Jar, Main   string
	Args        []string
	Parallelism int
	// Savepoint is the path of the savepoint to start from, or empty.
	Savepoint string
}

// Vertex is a chain of operators of a running job.
type Vertex struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Subtasks []struct {
		TaskManager string `json:"taskmanager-id"`
	} `json:"subtasks"`
}

// Checkpoints holds the statistics of a job's checkpoints: sizes in bytes, durations in milliseconds.
type Checkpoints struct {
	Counts struct {
		Completed, Failed, Restored int
	} `json:"counts"`
	Latest struct {
		Completed *Checkpoint `json:"completed"`
	} `json:"latest"`
	History []Checkpoint `json:"history"`
}

// Checkpoint is one checkpoint.
type Checkpoint struct {
	ID       int    `json:"id"`
	Status   string `json:"status"`
	Size     int64  `json:"state_size"`        // of the whole state
	Written  int64  `json:"checkpointed_size"` // without what earlier checkpoints have written
	Duration int64  `json:"end_to_end_duration"`
}

// MedianDuration returns the median duration of the completed checkpoints that Flink remembers, which are the last ten.
func (c *Checkpoints) MedianDuration() time.Duration {
	var durations []int64
	for _, checkpoint := range c.History {
		if checkpoint.Status == "COMPLETED" {
			durations = append(durations, checkpoint.Duration)
		}
	}
	if len(durations) == 0 {
		return 0
	}
	slices.Sort(durations)
	return time.Duration(durations[len(durations)/2]) * time.Millisecond
}

// Submit uploads the jar and runs the job. It returns the id.
func (f *Flink) Submit(ctx context.Context, job FlinkJob) (id string, err error) {
	jar, err := f.upload(ctx, job.Jar)
	if err != nil {
		return "", err
	}
	request := map[string]any{"entryClass": job.Main, "programArgsList": job.Args, "parallelism": job.Parallelism, "savepointPath": job.Savepoint}
	for name, value := range request {
		if value == "" {
			delete(request, name)
		}
	}
	var response struct {
		JobID string `json:"jobid"`
	}
	err = f.post(ctx, "/jars/"+jar+"/run", request, &response)
	return response.JobID, err
}

func (f *Flink) upload(ctx context.Context, path string) (id string, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("jarfile", filepath.Base(path))
	if err != nil {
		return "", err
	}
	_, _ = part.Write(content) // writes to a buffer do not fail
	if err := form.Close(); err != nil {
		return "", err
	}
	var response struct {
		Filename string `json:"filename"`
	}
	err = f.do(ctx, http.MethodPost, "/jars/upload", form.FormDataContentType(), &body, &response)
	return filepath.Base(response.Filename), err
}

// State returns the state of a job, such as RUNNING, RESTARTING, FINISHED, or FAILED.
func (f *Flink) State(ctx context.Context, job string) (string, error) {
	var response struct {
		State string `json:"state"`
	}
	err := f.get(ctx, "/jobs/"+job, &response)
	return response.State, err
}

// WaitRunning waits until all tasks of a job run.
func (f *Flink) WaitRunning(job string) {
	f.t.Helper()
	Eventually(f.t, flinkWithin, "all tasks of the job to run", func() error {
		var response struct {
			State    string `json:"state"`
			Vertices []struct {
				Status string `json:"status"`
			} `json:"vertices"`
		}
		if err := f.get(context.Background(), "/jobs/"+job, &response); err != nil {
			return err
		}
		for _, v := range response.Vertices {
			if v.Status != "RUNNING" {
				return errors.New("a task is " + v.Status)
			}
		}
		return nil
	})
}

// WaitEnd waits until a job has ended, and returns its last state: FINISHED, FAILED, or CANCELED.
func (f *Flink) WaitEnd(job string, within time.Duration) (last string) {
	f.t.Helper()
	Eventually(f.t, within, "the job to end", func() (err error) {
		last, err = f.State(context.Background(), job)
		if err == nil && last != "FINISHED" && last != "FAILED" && last != "CANCELED" {
			err = errors.New("the job is " + last)
		}
		return err
	})
	return last
}

// Cancel cancels a job and waits until it has ended.
func (f *Flink) Cancel(ctx context.Context, job string) error {
	if err := f.do(ctx, http.MethodPatch, "/jobs/"+job+"?mode=cancel", "", http.NoBody, nil); err != nil {
		return err
	}
	f.WaitEnd(job, flinkWithin)
	return nil
}

// Failure returns the stack traces of a job's failures, the latest first, or "".
func (f *Flink) Failure(ctx context.Context, job string) (string, error) {
	var response struct {
		History struct {
			Entries []struct {
				Stacktrace string `json:"stacktrace"`
			} `json:"entries"`
		} `json:"exceptionHistory"`
	}
	err := f.get(ctx, "/jobs/"+job+"/exceptions", &response)
	traces := make([]string, len(response.History.Entries))
	for i, e := range response.History.Entries {
		traces[i] = e.Stacktrace
	}
	return strings.Join(traces, "\n"), err
}

// Savepoint writes a savepoint of a job that continues, and returns its path.
func (f *Flink) Savepoint(ctx context.Context, job string) (path string, err error) {
	return f.savepoint(ctx, job, "/savepoints", map[string]any{"cancel-job": false})
}

// Stop stops a job with a savepoint, and returns its path. With drain, the sources first emit the maximum watermark,
// as at the end of the input.
func (f *Flink) Stop(ctx context.Context, job string, drain bool) (path string, err error) {
	return f.savepoint(ctx, job, "/stop", map[string]any{"drain": drain})
}

func (f *Flink) savepoint(ctx context.Context, job, action string, request any) (path string, err error) {
	var trigger struct {
		ID string `json:"request-id"`
	}
	if err := f.post(ctx, "/jobs/"+job+action, request, &trigger); err != nil {
		return "", err
	}
	for {
		var response struct {
			Status struct {
				ID string `json:"id"`
			} `json:"status"`
			Operation struct {
				Location string `json:"location"`
				Failure  struct {
					StackTrace string `json:"stack-trace"`
				} `json:"failure-cause"`
			} `json:"operation"`
		}
		if err := f.get(ctx, "/jobs/"+job+"/savepoints/"+trigger.ID, &response); err != nil {
			return "", err
		}
		if failure := response.Operation.Failure.StackTrace; failure != "" {
			return "", errors.New("the savepoint failed: " + failure)
		}
		if response.Status.ID == "COMPLETED" {
			return response.Operation.Location, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Vertices returns the chains of operators of a job, with their subtasks.
func (f *Flink) Vertices(ctx context.Context, job string) ([]Vertex, error) {
	var response struct {
		Vertices []Vertex `json:"vertices"`
	}
	if err := f.get(ctx, "/jobs/"+job, &response); err != nil {
		return nil, err
	}
	for i := range response.Vertices {
		if err := f.get(ctx, "/jobs/"+job+"/vertices/"+response.Vertices[i].ID, &response.Vertices[i]); err != nil {
			return nil, err
		}
	}
	return response.Vertices, nil
}

// Metrics returns the sums over the subtasks of all metrics of a job whose name ends with a dot and one of the given
// names. Flink updates them every second.
func (f *Flink) Metrics(ctx context.Context, job string, names ...string) (map[string]float64, error) {
	vertices, err := f.Vertices(ctx, job)
	if err != nil {
		return nil, err
	}
	sums := map[string]float64{}
	for _, v := range vertices {
		path := "/jobs/" + job + "/vertices/" + v.ID + "/subtasks/metrics"
		var metrics []struct {
			ID  string  `json:"id"`
			Sum float64 `json:"sum"`
		}
		if err := f.get(ctx, path, &metrics); err != nil {
			return nil, err
		}
		for _, m := range metrics {
			for _, name := range names {
				if m.ID != name && !strings.HasSuffix(m.ID, "."+name) {
					continue
				}
				value := metrics[:0:0]
				if err := f.get(ctx, path+"?agg=sum&get="+url.QueryEscape(m.ID), &value); err != nil {
					return nil, err
				}
				for _, v := range value {
					sums[name] += v.Sum
				}
			}
		}
	}
	return sums, nil
}

// Checkpoints returns the statistics of a job's checkpoints.
func (f *Flink) Checkpoints(ctx context.Context, job string) (c Checkpoints, err error) {
	err = f.get(ctx, "/jobs/"+job+"/checkpoints", &c)
	return c, err
}

func (f *Flink) get(ctx context.Context, path string, into any) error {
	return f.do(ctx, http.MethodGet, path, "", http.NoBody, into)
}

func (f *Flink) post(ctx context.Context, path string, request, into any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	return f.do(ctx, http.MethodPost, path, "application/json", bytes.NewReader(body), into)
}

// do sends a request, and decodes the response into the value that into points to, unless it is nil.
func (f *Flink) do(ctx context.Context, method, path, contentType string, body io.Reader, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, f.URL+path, body)
	if err != nil {
		return err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return fmt.Errorf("answer to %s %s: %w", method, path, err)
	case res.StatusCode >= http.StatusMultipleChoices:
		return fmt.Errorf("%s %s answered %s: %s", method, path, res.Status, text)
	case into == nil:
		return nil
	}
	return json.Unmarshal(text, into)
}
