// A gRPC client that checks the health of a service by itself: with this service config a channel keeps a Watch open on each of its
// connections, uses only those that say SERVING, and fails calls with UNAVAILABLE when none does. It watches where it calls, so health
// has to be served at the address of the service: nginx.conf and envoy.yaml lead both to their places.
//
// Three things have to come together. The policy has to be round_robin: pick_first, which is the default, does not look at health. The
// package grpc/health has to be imported, or the config is ignored with a line in the log. And the server must have Watch: one that
// answers UNIMPLEMENTED is taken for healthy, and never asked again. C++ and Java read the same config; Node's grpc-js ignores it.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // makes healthCheckConfig work
	"google.golang.org/grpc/health/grpc_health_v1"
)

//go:embed service-config.json
var serviceConfig string

// Calls once a second. The call is one of health, where yours would be one of orders.
func main() {
	conn, err := grpc.NewClient(os.Args[1],
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(serviceConfig))
	if err != nil {
		panic(err)
	}
	client := grpc_health_v1.NewHealthClient(conn)
	for ; ; time.Sleep(time.Second) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		cancel()
		fmt.Println(time.Now().Format(time.TimeOnly), err)
	}
}
