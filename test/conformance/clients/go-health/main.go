// Command go-health talks to a gRPC health service with grpc-go's own client
// and prints what it sees as JSON lines.
//
//	go-health watch ADDR SERVICE                 statuses until the stream ends
//	go-health check ADDR SERVICE [--timeout MS]  one answer
//	go-health client ADDR SERVICE                a health-checked channel; "call" lines on stdin use it
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // makes healthCheckConfig work
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

const (
	checkTimeout = 5 * time.Second
	callTimeout  = time.Second
)

var printing sync.Mutex

func emit(v any) {
	printing.Lock()
	defer printing.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		os.Exit(1)
	}
}

type failure struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

func failureOf(err error) failure {
	name, message := describe(err)
	return failure{name, message}
}

// describe uses the canonical spelling; grpc-go's own String gives "NotFound".
func describe(err error) (name, message string) {
	s := status.Convert(err)
	return code.Code(s.Code()).String(), s.Message()
}

func main() {
	args := os.Args[1:]
	if len(args) < 3 {
		usage()
	}
	mode, addr, service, rest := args[0], args[1], args[2], args[3:]
	var run func(*grpc.ClientConn) error
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	switch {
	case mode == "watch" && len(rest) == 0:
		run = func(conn *grpc.ClientConn) error { return watch(conn, service) }
	case mode == "check":
		timeout, err := timeoutOf(rest)
		if err != nil {
			usage()
		}
		run = func(conn *grpc.ClientConn) error { return check(conn, service, timeout) }
	case mode == "client" && len(rest) == 0:
		options = append(options, grpc.WithDefaultServiceConfig(serviceConfig(service)))
		run = client
	default:
		usage()
	}
	conn, err := grpc.NewClient(addr, options...)
	if err == nil {
		err = run(conn)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: go-health watch|client ADDR SERVICE\n       go-health check ADDR SERVICE [--timeout MS]")
	os.Exit(2)
}

func timeoutOf(args []string) (time.Duration, error) {
	switch {
	case len(args) == 0:
		return checkTimeout, nil
	case len(args) == 2 && args[0] == "--timeout":
		ms, err := strconv.ParseUint(args[1], 10, 31)
		return time.Duration(ms) * time.Millisecond, err
	}
	return 0, errors.New("unexpected arguments")
}

func watch(conn *grpc.ClientConn, service string) error {
	err := watchUntilEnd(conn, service)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	name, message := describe(err)
	emit(struct {
		End     string `json:"end"`
		Message string `json:"message"`
	}{name, message})
	return nil
}

func watchUntilEnd(conn *grpc.ClientConn, service string) error {
	request := &healthpb.HealthCheckRequest{Service: service}
	stream, err := healthpb.NewHealthClient(conn).Watch(context.Background(), request)
	for err == nil {
		var answer *healthpb.HealthCheckResponse
		if answer, err = stream.Recv(); err == nil {
			emit(map[string]string{"status": answer.Status.String()})
		}
	}
	return err
}

func check(conn *grpc.ClientConn, service string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request := &healthpb.HealthCheckRequest{Service: service}
	answer, err := healthpb.NewHealthClient(conn).Check(ctx, request)
	if err != nil {
		emit(failureOf(err))
	} else {
		emit(map[string]string{"status": answer.Status.String()})
	}
	return nil
}

func serviceConfig(service string) string {
	config, err := json.Marshal(map[string]any{
		"loadBalancingConfig": []any{map[string]any{"round_robin": map[string]any{}}},
		"healthCheckConfig":   map[string]string{"serviceName": service},
	})
	if err != nil {
		panic(err)
	}
	return string(config)
}

// client serves "call" lines until stdin ends.
func client(conn *grpc.ClientConn) error {
	go printStates(conn)
	conn.Connect()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		switch line := strings.TrimSpace(lines.Text()); line {
		case "":
		case "call":
			call(conn)
		default:
			fmt.Fprintf(os.Stderr, "unknown command %q\n", line)
		}
	}
	return lines.Err()
}

func printStates(conn *grpc.ClientConn) {
	for state := conn.GetState(); ; state = conn.GetState() {
		emit(map[string]string{"state": state.String()})
		if !conn.WaitForStateChange(context.Background(), state) {
			return
		}
	}
}

func call(conn *grpc.ClientConn) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	_, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{}, grpc.WaitForReady(false))
	if err != nil {
		emit(failureOf(err))
	} else {
		emit(map[string]bool{"ok": true})
	}
}
