// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/detect/novelty"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/template"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// established is in how many windows something must have been seen to have a series of its own.
	established = 10
	// maxLogTemplates bounds the templates that are counted apart in one service.
	maxLogTemplates = 1000
	// maxLogServices bounds the services whose logs are counted.
	maxLogServices = 10_000
	// maxFresh bounds the new templates of one window that are remembered by name.
	maxFresh = 10
)

// logs counts the log records of one service. Its exported fields are its persisted state.
type logs struct {
	service string
	window  window.Window

	Records, Errors int           // in the open window
	Empty           int           // windows since the last record
	Past            window.Share  // of records that were errors, before it
	Fresh           [2]int        // new templates in it, by class
	FreshIDs        []template.ID // the first of them, grave ones first
	Novelty         novelty.Model `json:"-"`
	Templates       map[template.ID]*logTemplate
	ErrorMark       mark
	// own lists the templates that have a series, in the order of their ids. params is the number of their watched numbers.
	own    []template.ID
	params int
}

// logTemplate counts the records of one template.
type logTemplate struct {
	Count       int // in the open window
	Windows     int // in which it was seen, up to established
	Empty       int // windows since then
	First, Last int64
	Mark        mark
	Params      []logParam // of an established template
}

// mark is the score and reason of the records of an anomalous template. The score is 0 if it is not anomalous.
type mark struct {
	Score  float64
	Reason string
}

// logsOf finds or makes the counts of a service.
func (e *Engine) logsOf(service string) *logs {
	id := serviceID(service)
	if l := e.logs.Get(id, e.now); l != nil {
		return l
	}
	fresh := logs{service: strings.Clone(service), Templates: map[template.ID]*logTemplate{}}
	if l := e.logs.Add(id, 0, series.Size{Weight: 1}, e.now, fresh); l != nil {
		return l
	}
	return &fresh // there is no room to keep it
}

// learned returns the number of records that were learned.
func (l *logs) learned() uint64 { return uint64(l.Past.All) }

// count counts a record of a template, and returns nil if the template has no count of its own. room is the number of templates that may be added.
func (l *logs) count(id template.ID, t int64, room *int) *logTemplate {
	known := l.Templates[id]
	if known == nil {
		if len(l.Templates) >= 2*maxLogTemplates || *room <= 0 {
			return nil // until the window closes
		}
		known = &logTemplate{First: t}
		l.Templates[id] = known
		*room--
	}
	known.Count++
	known.Last = max(known.Last, t)
	return known
}

// fresh notes a new template.
func (l *logs) fresh(id template.ID, class novelty.Class) {
	l.Fresh[class]++
	switch {
	case class == novelty.Grave && l.Fresh[class] == 1:
		l.FreshIDs = slices.Insert(l.FreshIDs, 0, id)
	case len(l.FreshIDs) < maxFresh:
		l.FreshIDs = append(l.FreshIDs, id)
	}
}

// tickLogs closes windows that no record closes.
func (e *Engine) tickLogs(now time.Time) {
	e.logs.Age(now)
	e.templates = e.memory.Entries()
	for _, l := range e.logs.All() {
		l.window.Tick(now, e.watermarkOf(l.service), func() { e.closeLogs(l) })
		e.templates -= len(l.Templates)
	}
}

// watermarkOf is the watermark of a service as its series know it, 0 if it has none.
func (e *Engine) watermarkOf(name string) int64 {
	if svc := e.services[name]; svc != nil {
		return svc.mark.Time()
	}
	return 0
}

// closeLogs judges the open window's counts, and begins the next one's.
func (e *Engine) closeLogs(l *logs) {
	t := l.window.End
	for id, known := range l.Templates {
		if known.Count > 0 && known.Windows < established {
			if known.Windows++; known.Windows == established {
				l.own = nil
			}
		}
		if known.Windows == established && e.miner.Resolve(id) != id { // it has become a part of another one
			delete(l.Templates, id)
			l.own = nil
		}
	}
	exact := l.Past.Exact(l.Errors, l.Records)
	l.Past.Learn(l.Errors, l.Records)
	st := e.deriveRatio(&derived{signal: SignalLogs, service: l.service, metric: vocabulary.MetricLogRecords, unit: recordUnit, stats: logStats}, t, l.Records, &l.Empty, l.Errors, exact)
	l.ErrorMark = e.markOf(st, 1)
	e.closeTemplates(l, t)
	e.closeNews(l, t)
	l.trim(t-int64(e.cfg.SeriesTTL), established)
	if e.templates <= 0 {
		l.trim(t-rareFor, established-1)
	}
	l.Records, l.Errors, l.Fresh, l.FreshIDs = 0, 0, [2]int{}, nil
}

const recordUnit, templateUnit = "{record}", "{template}"

var (
	logStats   = []meter.Statistic{meter.Count, meter.ErrorRatio}
	countStats = []meter.Statistic{meter.Count}
)

// closeTemplates judges the count of every template that has a series.
func (e *Engine) closeTemplates(l *logs, t int64) {
	if l.own == nil {
		l.params = 0
		for id, known := range l.Templates {
			if known.Windows >= established {
				l.own = append(l.own, id)
				l.params += len(known.Params)
			}
		}
		slices.Sort(l.own)
	}
	d := derived{signal: SignalLogs, service: l.service, metric: vocabulary.MetricLogRecords, unit: recordUnit, stats: countStats}
	for _, id := range l.own {
		known := l.Templates[id]
		d.attributes = []attribute{{vocabulary.AttrTemplateID, idText(id)}}
		st := e.deriveCount(&d, t, known.Count, &known.Empty)
		known.Mark = e.markOf(st, 0)
		e.closeParams(l, id, known, t)
	}
	for _, known := range l.Templates {
		known.Count = 0
	}
}

// markOf returns the mark for the records of a series: its score while its anomaly is open.
func (e *Engine) markOf(st *stream, i int) mark {
	if st == nil {
		return mark{}
	}
	s := &st.series[i]
	if !e.tracker.Open(uint64(s.id)) {
		return mark{}
	}
	reason := "more records of this template than expected"
	switch more := s.last.observed >= s.last.expected; {
	case s.stat == meter.ErrorRatio && !more:
		return mark{}
	case s.stat == meter.ErrorRatio:
		reason = "more errors than expected"
	case !more:
		reason = "fewer records of this template than expected"
	}
	return mark{Score: max(1, s.last.score), Reason: reason}
}

// closeNews judges what was new in a window. Before the service's vocabulary is known everything is.
func (e *Engine) closeNews(l *logs, t int64) {
	if l.Novelty.Warm() {
		n := float64(l.Fresh[novelty.Usual] + l.Fresh[novelty.Grave])
		p := detect.Judgment{Surprise: l.Novelty.Surprise(&e.novelty, l.Fresh)}
		if n > 0 {
			p.Kind = detect.KindHigh
		}
		d := derived{signal: SignalNews, service: l.service, metric: vocabulary.MetricNewTemplates, unit: templateUnit, stats: countStats}
		if st, fresh := e.next(&d, t); fresh {
			s := e.bareSeries(st)
			e.conclude(st, s, t, n, p, derivedOutput, exemplars{})
			e.showDerived(st, s)
		}
	}
	l.Novelty.Learn(&e.novelty, l.Fresh)
}

// trim forgets templates that were not seen since, of those seen in so many windows at most, and the rarest of too many.
func (l *logs) trim(since int64, windows int) {
	for id, known := range l.Templates {
		if known.Last < since && known.Windows <= windows {
			delete(l.Templates, id)
			l.own = nil
		}
	}
	if len(l.Templates) <= maxLogTemplates {
		return
	}
	ids := make([]template.ID, 0, len(l.Templates))
	for id := range l.Templates {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b template.ID) int {
		x, y := l.Templates[a], l.Templates[b]
		return cmp.Or(cmp.Compare(y.Windows, x.Windows), cmp.Compare(y.Last, x.Last), cmp.Compare(a, b))
	})
	for _, id := range ids[maxLogTemplates:] {
		delete(l.Templates, id)
	}
	l.own = nil
}

// describe adds to the subject of a series that is made from logs what its template is.
func (e *Engine) describe(st *stream, subject *incident.Subject) {
	if subject.Attributes == nil {
		subject.Attributes = map[string]string{}
	}
	l, _ := e.logs.Peek(serviceID(subject.Service))
	if l == nil {
		return
	}
	var id template.ID
	if st.signal == SignalNews && len(l.FreshIDs) > 0 {
		id = l.FreshIDs[0]
	} else if text, ok := subject.Attributes[vocabulary.AttrTemplateID]; ok {
		n, err := strconv.ParseUint(text, 16, 64)
		if err != nil {
			return
		}
		id = template.ID(n)
	}
	info, ok := e.miner.Lookup(id)
	if !ok {
		return
	}
	subject.Attributes[vocabulary.AttrTemplateID] = idText(id)
	subject.Attributes[vocabulary.AttrTemplate] = info.Template
	if info.Example != "" {
		subject.Attributes[vocabulary.AttrExample] = info.Example
	}
	if known := l.Templates[id]; known != nil {
		subject.Attributes[vocabulary.AttrFirstSeen] = time.Unix(0, known.First).UTC().Format(time.RFC3339Nano)
	}
}
