// Reads manifests from standard input, with --- between them, and refuses a ServiceMonitor or a PrometheusRule in which the Prometheus
// operator does not know a field. Prints the kinds that it has read. Others are left to others.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	for _, document := range strings.Split(string(text), "\n---\n") {
		var head struct {
			Kind string `json:"kind"`
		}
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			fail(err)
		}
		var into any
		switch head.Kind {
		case monitoring.ServiceMonitorsKind:
			into = &monitoring.ServiceMonitor{}
		case monitoring.PrometheusRuleKind:
			into = &monitoring.PrometheusRule{}
		default:
			continue
		}
		if err := yaml.UnmarshalStrict([]byte(document), into); err != nil {
			fail(fmt.Errorf("%s: %w", head.Kind, err))
		}
		fmt.Println(head.Kind)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
