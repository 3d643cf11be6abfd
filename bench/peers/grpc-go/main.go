// Command grpc-go serves grpc-go's own health service on loopback, for one
// service that is SERVING until it is told otherwise.
//
//	grpc-go SERVICE            {"ports":{"grpc":N}} once it listens
//	grpc-go SERVICE CERT KEY   the same over TLS, {"ports":{"grpc":N,"isSecure":true}}
//
// A line on stdin is a word, and is answered with JSON: "up" and "down" are
// what the service is from then on, "memory" is what is held after garbage
// collection, on the heap and by the stacks of goroutines. It ends with its
// input.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

func main() {
	if len(os.Args) != 2 && len(os.Args) != 4 {
		fail(fmt.Errorf("usage: grpc-go SERVICE [CERT KEY]"))
	}
	var options []grpc.ServerOption
	if len(os.Args) == 4 {
		identity, err := credentials.NewServerTLSFromFile(os.Args[2], os.Args[3])
		if err != nil {
			fail(err)
		}
		options = append(options, grpc.Creds(identity))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	server, statuses := grpc.NewServer(options...), health.NewServer()
	statuses.SetServingStatus(os.Args[1], healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(server, statuses)
	go obey(statuses, os.Args[1])
	port := listener.Addr().(*net.TCPAddr).Port
	say(map[string]any{"ports": map[string]any{"grpc": port, "isSecure": len(options) > 0}})
	fail(server.Serve(listener))
}

func obey(statuses *health.Server, service string) {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		switch lines.Text() {
		case "up":
			statuses.SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
			say(struct{}{})
		case "down":
			statuses.SetServingStatus(service, healthpb.HealthCheckResponse_NOT_SERVING)
			say(struct{}{})
		case "memory":
			say(map[string]uint64{"heldBytes": held()})
		}
	}
	os.Exit(0)
}

func held() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc + stats.StackInuse
}

func say(v any) {
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
