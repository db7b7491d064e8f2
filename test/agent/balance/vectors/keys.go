// Prints the identities that the Collector gives resources and data points, and its text of attribute values: compiled by make-keys.mjs
// against upstream's modules. Reads ExportMetricsServiceRequests, one in hexadecimal on each line.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/internal/exp/metrics/identity"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

type told struct {
	Resources []string `json:"resources"`
	Streams   []string `json:"streams"`
	Texts     []string `json:"texts"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		request, err := hex.DecodeString(lines.Text())
		if err != nil {
			panic(err)
		}
		metrics, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(request)
		if err != nil {
			panic(err)
		}
		one := told{Resources: []string{}, Streams: []string{}, Texts: []string{}}
		for _, resource := range metrics.ResourceMetrics().All() {
			one.Resources = append(one.Resources, identity.OfResource(resource.Resource()).String())
			for _, value := range resource.Resource().Attributes().All() {
				one.Texts = append(one.Texts, value.AsString())
			}
			for _, scope := range resource.ScopeMetrics().All() {
				for _, metric := range scope.Metrics().All() {
					id := identity.OfResourceMetric(resource.Resource(), scope.Scope(), metric)
					each(metric, func(attributes attributed) {
						one.Streams = append(one.Streams, identity.OfStream(id, attributes).String())
					})
				}
			}
		}
		if err := out.Encode(one); err != nil {
			panic(err)
		}
	}
}

type attributed interface{ Attributes() pcommon.Map }

func each(metric pmetric.Metric, visit func(attributed)) {
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		for _, point := range metric.Gauge().DataPoints().All() {
			visit(point)
		}
	case pmetric.MetricTypeSum:
		for _, point := range metric.Sum().DataPoints().All() {
			visit(point)
		}
	case pmetric.MetricTypeHistogram:
		for _, point := range metric.Histogram().DataPoints().All() {
			visit(point)
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, point := range metric.ExponentialHistogram().DataPoints().All() {
			visit(point)
		}
	case pmetric.MetricTypeSummary:
		for _, point := range metric.Summary().DataPoints().All() {
			visit(point)
		}
	}
}
