// Command go-health-server serves grpc-go's own health service on loopback,
// with the statuses that it is told, until stdin ends.
//
//	go-health-server [--tls CERT KEY | --without]   {"port":N} once it listens
//
// A line on stdin is a status and the service that is to have it, none for
// the server as a whole ("NOT_SERVING orders.Orders"), and is printed as
// JSON once that is so. What nobody has named is unknown. With --without the
// service is not there at all.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

func main() {
	var options []grpc.ServerOption
	serves := true
	switch args := os.Args[1:]; {
	case len(args) == 3 && args[0] == "--tls":
		identity, err := credentials.NewServerTLSFromFile(args[1], args[2])
		if err != nil {
			fail(err)
		}
		options = append(options, grpc.Creds(identity))
	case len(args) == 1 && args[0] == "--without":
		serves = false
	case len(args) > 0:
		fmt.Fprintln(os.Stderr, "usage: go-health-server [--tls CERT KEY | --without]")
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	server, statuses := grpc.NewServer(options...), health.NewServer()
	if serves {
		healthpb.RegisterHealthServer(server, statuses)
	}
	go obey(statuses)
	emit(map[string]int{"port": listener.Addr().(*net.TCPAddr).Port})
	fail(server.Serve(listener))
}

// obey ends the process with its input.
func obey(statuses *health.Server) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		name, service, _ := strings.Cut(lines.Text(), " ")
		status, ok := healthpb.HealthCheckResponse_ServingStatus_value[name]
		if !ok {
			fail(fmt.Errorf("unknown status %q", name))
		}
		statuses.SetServingStatus(service, healthpb.HealthCheckResponse_ServingStatus(status))
		emit(map[string]string{"service": service, "status": name})
	}
	os.Exit(0)
}

func emit(v any) {
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
