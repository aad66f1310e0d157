package app

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/outbox"
	"github.com/watchroom/watchroom/internal/retention"
	"github.com/watchroom/watchroom/internal/search"
	"github.com/watchroom/watchroom/internal/store"
)

// meters are what an operator's monitoring scrapes.
type meters struct {
	registry   *prometheus.Registry
	alerts     *prometheus.CounterVec
	acceptTook prometheus.Histogram
	deliveries *prometheus.CounterVec
	sendTook   *prometheus.HistogramVec
	removed    *prometheus.CounterVec
}

func newMeters(a *App) *meters {
	m := &meters{
		registry: prometheus.NewRegistry(),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchroom_alerts_total", Help: "Alerts by type and by what became of the request.",
		}, []string{"type", "result"}),
		acceptTook: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "watchroom_accept_seconds", Help: "Time from a parsed alert to its commit.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
		}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchroom_deliveries_total", Help: "Tries to deliver, by method and outcome; pending means that another try follows.",
		}, []string{"method", "outcome"}),
		sendTook: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "watchroom_send_seconds", Help: "Time a provider took to answer.", Buckets: prometheus.ExponentialBuckets(.001, 4, 9),
		}, []string{"method"}),
		removed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "watchroom_retention_removed_total", Help: "What this node removed because it was old; bytes are those of files.",
		}, []string{"what"}),
	}
	m.registry.MustRegister(m.alerts, m.acceptTook, m.deliveries, m.sendTook, m.removed,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "watchroom_open_streams", Help: "Browsers and programs that follow the timeline.",
		}, func() float64 { return float64(a.Hub.Readers()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "watchroom_messages_refused_total", Help: "Lines that were refused because their authors wrote too fast.",
		}, func() float64 { return float64(a.Dispatch.TooFast()) }),
		&stateCollector{a})
	return m
}

func (m *meters) accepted(a alert.Alert, err error, took time.Duration) {
	result := "accepted"
	if err != nil {
		result = "refused"
	}
	m.alerts.WithLabelValues(string(a.Type), result).Inc()
	m.acceptTook.Observe(took.Seconds())
}

func (m *meters) delivered(method string, state store.DeliveryState, took time.Duration) {
	m.deliveries.WithLabelValues(method, string(state)).Inc()
	m.sendTook.WithLabelValues(method).Observe(took.Seconds())
}

func (m *meters) tookAway(r store.Removed) {
	retention.EachCount(r, func(what string, n int64) { m.removed.WithLabelValues(what).Add(float64(n)) })
}

func (m *meters) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// stateCollector reads the store when it is scraped.
type stateCollector struct{ app *App }

var (
	incidentsDesc = prometheus.NewDesc("watchroom_incidents_open", "Open incidents by state.", []string{"state"}, nil)
	entriesDesc   = prometheus.NewDesc("watchroom_timeline_entries", "The number of the last entry.", nil, nil)
	lagDesc       = prometheus.NewDesc("watchroom_cursor_lag", "Entries since the one a follower has come to; 0 when none of them concerns it.", []string{"cursor"}, nil)
	removalDesc   = prometheus.NewDesc("watchroom_retention_last_run_timestamp_seconds", "When what is old was looked for last; 0: never.", nil, nil)
	overdueDesc   = prometheus.NewDesc("watchroom_overdue_seconds", "How late the next thing of a kind is; 0 when nothing is due.", []string{"kind"}, nil)
)

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{incidentsDesc, entriesDesc, lagDesc, overdueDesc, removalDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s := c.app.Store
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	fail := func(d *prometheus.Desc, err error) { ch <- prometheus.NewInvalidMetric(d, err) }
	if counts, err := s.Counts(ctx); err != nil {
		fail(incidentsDesc, err)
	} else {
		gauge(incidentsDesc, float64(counts.Triggered), "triggered")
		gauge(incidentsDesc, float64(counts.Acknowledged), "acknowledged")
	}
	head, err := s.Head(ctx)
	if err != nil {
		fail(entriesDesc, err)
		return
	}
	gauge(entriesDesc, float64(head.Seq))
	cursors, err := s.Cursors(ctx)
	if err != nil {
		fail(lagDesc, err)
		return
	}
	ran := 0.0
	if at := retention.RanAt(cursors); !at.IsZero() {
		ran = float64(at.Unix())
	}
	gauge(removalDesc, ran)
	for _, name := range []string{outbox.Cursor, search.Cursor} { // others keep their place among the cursors, and count something else
		lag := float64(head.Seq - cursors[name])
		if name == outbox.Cursor { // its cursor rests while nothing concerns it
			if behind, err := s.Behind(ctx, name, outbox.Kinds()...); err == nil && !behind {
				lag = 0
			}
		}
		gauge(lagDesc, lag, name)
	}
	for kind, next := range map[string]func(context.Context) (time.Time, error){"timer": s.NextTimer, "delivery": s.NextDelivery} {
		due, err := next(ctx)
		if err != nil {
			fail(overdueDesc, err)
			continue
		}
		late := 0.0
		if !due.IsZero() {
			late = max(0, time.Since(due).Seconds())
		}
		gauge(overdueDesc, late, kind)
	}
}
