// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/novelty"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/template"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// maxTemplates bounds the templates that are counted apart in one service.
	maxTemplates = 1000
	// maxServices bounds the services whose logs are counted.
	maxServices = 10_000
	// maxFresh bounds the new templates of one window that are remembered by name.
	maxFresh = 10
)

// service counts the log records of one service. Its exported fields are its persisted state.
type service struct {
	name   string
	window window.Window

	Records, Errors int           // in the open window
	Empty           int           // windows since the last record
	Past            window.Share  // of records that were errors, before it
	Fresh           [2]int        // new templates in it, by class
	FreshIDs        []template.ID // the first of them, grave ones first
	Novelty         novelty.Model `json:"-"`
	Templates       map[template.ID]*logTemplate
	ErrorMark       judge.Mark
	// own lists the templates that have a series, in the order of their ids. params is the number of their watched numbers.
	own    []template.ID
	params int
}

// logTemplate counts the records of one template.
type logTemplate struct {
	Count       int // in the open window
	Windows     int // in which it was seen, up to window.Established
	Empty       int // windows since then
	First, Last int64
	Mark        judge.Mark
	Params      []logParam // of an established template
}

// serviceOf finds or makes the counts of a service.
func (l *Logs) serviceOf(name string) *service {
	id := series.Text(name)
	if s := l.services.Get(id, l.judge.Now()); s != nil {
		return s
	}
	fresh := service{name: strings.Clone(name), Templates: map[template.ID]*logTemplate{}}
	if s := l.services.Add(id, 0, series.Size{Weight: 1}, l.judge.Now(), fresh); s != nil {
		return s
	}
	return &fresh // there is no room to keep it
}

// learned returns the number of records that were learned.
func (s *service) learned() uint64 { return uint64(s.Past.All) }

// count counts a record of a template, and returns nil if the template has no count of its own. room is the number of templates that may be added.
func (s *service) count(id template.ID, t int64, room *int) *logTemplate {
	known := s.Templates[id]
	if known == nil {
		if len(s.Templates) >= 2*maxTemplates || *room <= 0 {
			return nil // until the window closes
		}
		known = &logTemplate{First: t}
		s.Templates[id] = known
		*room--
	}
	known.Count++
	known.Last = max(known.Last, t)
	return known
}

// fresh notes a new template.
func (s *service) fresh(id template.ID, class novelty.Class) {
	s.Fresh[class]++
	switch {
	case class == novelty.Grave && s.Fresh[class] == 1:
		s.FreshIDs = slices.Insert(s.FreshIDs, 0, id)
	case len(s.FreshIDs) < maxFresh:
		s.FreshIDs = append(s.FreshIDs, id)
	}
}

// Tick ages templates, and closes windows that no record closes.
func (l *Logs) Tick(now time.Time) {
	l.services.Age(now)
	l.room = l.entries
	for _, s := range l.services.All() {
		s.window.Tick(now, l.judge.Watermark(s.name), func() { l.close(s) })
		l.room -= len(s.Templates)
	}
}

// close judges the open window's counts, and begins the next one's.
func (l *Logs) close(s *service) {
	t := s.window.End
	for id, known := range s.Templates {
		if known.Count > 0 && known.Windows < window.Established {
			if known.Windows++; known.Windows == window.Established {
				s.own = nil
			}
		}
		if known.Windows == window.Established && l.miner.Resolve(id) != id { // it has become a part of another one
			delete(s.Templates, id)
			s.own = nil
		}
	}
	exact := s.Past.Exact(s.Errors, s.Records)
	s.Past.Learn(s.Errors, s.Records)
	judged := l.judge.DeriveRatio(&judge.Derived{Signal: budget.Logs, Service: s.name, Metric: vocabulary.MetricLogRecords, Unit: recordUnit, Statistics: logStats, Context: l}, t, s.Records, &s.Empty, s.Errors, exact)
	s.ErrorMark = markOf(judged, 1)
	l.closeTemplates(s, t)
	l.closeNews(s, t)
	s.trim(t-int64(l.ttl), window.Established)
	if l.room <= 0 {
		s.trim(t-window.RareFor, window.Established-1)
	}
	s.Records, s.Errors, s.Fresh, s.FreshIDs = 0, 0, [2]int{}, nil
}

const recordUnit, templateUnit = "{record}", "{template}"

var (
	logStats   = []meter.Statistic{meter.Count, meter.ErrorRatio}
	countStats = []meter.Statistic{meter.Count}
)

// closeTemplates judges the count of every template that has a series.
func (l *Logs) closeTemplates(s *service, t int64) {
	if s.own == nil {
		s.params = 0
		for id, known := range s.Templates {
			if known.Windows >= window.Established {
				s.own = append(s.own, id)
				s.params += len(known.Params)
			}
		}
		slices.Sort(s.own)
	}
	d := judge.Derived{Signal: budget.Logs, Service: s.name, Metric: vocabulary.MetricLogRecords, Unit: recordUnit, Statistics: countStats, Context: l}
	for _, id := range s.own {
		known := s.Templates[id]
		d.Attributes = []judge.Attribute{{Key: vocabulary.AttrTemplateID, Value: idText(id)}}
		judged := l.judge.DeriveCount(&d, t, known.Count, &known.Empty)
		known.Mark = markOf(judged, 0)
		l.closeParams(s, id, known, t)
	}
	for _, known := range s.Templates {
		known.Count = 0
	}
}

// markOf returns the mark for the records of series i: its score while its anomaly is open.
func markOf(judged judge.Result, i int) judge.Mark {
	a, open := judged.Open(i)
	if !open {
		return judge.Mark{}
	}
	reason := "more records of this template than expected"
	switch more := a.Observed >= a.Expected; {
	case a.Statistic == meter.ErrorRatio && !more:
		return judge.Mark{}
	case a.Statistic == meter.ErrorRatio:
		reason = "more errors than expected"
	case !more:
		reason = "fewer records of this template than expected"
	}
	return judge.Mark{Score: a.Score, Reason: reason}
}

// closeNews judges what was new in a window. Before the service's vocabulary is known everything is.
func (l *Logs) closeNews(s *service, t int64) {
	if s.Novelty.Warm() {
		n := float64(s.Fresh[novelty.Usual] + s.Fresh[novelty.Grave])
		p := detect.Judgment{Surprise: s.Novelty.Surprise(&l.novelty, s.Fresh)}
		if n > 0 {
			p.Kind = detect.KindHigh
		}
		d := judge.Derived{Signal: budget.News, Service: s.name, Metric: vocabulary.MetricNewTemplates, Unit: templateUnit, Statistics: countStats, Context: l}
		l.judge.DeriveSurprise(&d, t, n, func(uint64) detect.Judgment { return p })
	}
	s.Novelty.Learn(&l.novelty, s.Fresh)
}

// trim forgets templates that were not seen since, of those seen in so many windows at most, and the rarest of too many.
func (s *service) trim(since int64, windows int) {
	for id, known := range s.Templates {
		if known.Last < since && known.Windows <= windows {
			delete(s.Templates, id)
			s.own = nil
		}
	}
	if len(s.Templates) <= maxTemplates {
		return
	}
	ids := make([]template.ID, 0, len(s.Templates))
	for id := range s.Templates {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b template.ID) int {
		x, y := s.Templates[a], s.Templates[b]
		return cmp.Or(cmp.Compare(y.Windows, x.Windows), cmp.Compare(y.Last, x.Last), cmp.Compare(a, b))
	})
	for _, id := range ids[maxTemplates:] {
		delete(s.Templates, id)
	}
	s.own = nil
}

// Traces yields nothing: the traces of log records are not kept.
func (l *Logs) Traces(func(pcommon.TraceID)) {}

// Describe adds the template to the subject of a series that is made from logs.
func (l *Logs) Describe(subject *incident.Subject) {
	if subject.Attributes == nil {
		subject.Attributes = map[string]string{}
	}
	s, _ := l.services.Peek(series.Text(subject.Service))
	if s == nil {
		return
	}
	var id template.ID
	if subject.Metric == vocabulary.MetricNewTemplates && len(s.FreshIDs) > 0 {
		id = s.FreshIDs[0]
	} else if text, ok := subject.Attributes[vocabulary.AttrTemplateID]; ok {
		n, err := strconv.ParseUint(text, 16, 64)
		if err != nil {
			return
		}
		id = template.ID(n)
	}
	info, ok := l.miner.Lookup(id)
	if !ok {
		return
	}
	subject.Attributes[vocabulary.AttrTemplateID] = idText(id)
	subject.Attributes[vocabulary.AttrTemplate] = info.Template
	if info.Example != "" {
		subject.Attributes[vocabulary.AttrExample] = info.Example
	}
	if known := s.Templates[id]; known != nil {
		subject.Attributes[vocabulary.AttrFirstSeen] = time.Unix(0, known.First).UTC().Format(time.RFC3339Nano)
	}
}
