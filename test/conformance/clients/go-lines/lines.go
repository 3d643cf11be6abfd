// Package lines is what the Go drivers share: a test in another language steers
// each as a child process, by commands on stdin and replies and events on
// stdout, one JSON object a line.
package lines

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
)

// Ready is the first line: the client can be told what to do.
type Ready struct {
	Event   string `json:"event"`
	Client  string `json:"client"`
	Version string `json:"version"`
}

type reply struct {
	ID     json.RawMessage `json:"id"`
	OK     bool            `json:"ok"`
	Result any             `json:"result"`
}

type failure struct {
	ID    json.RawMessage `json:"id"`
	OK    bool            `json:"ok"`
	Error string          `json:"error"`
}

// Writer keeps lines whole: callbacks print while commands are answered.
type Writer struct {
	mu  sync.Mutex
	enc *json.Encoder
}

// TakeStdout returns the writer of lines and turns whatever else is printed to
// stderr, so that a library's words do not end up between the lines.
func TakeStdout() *Writer {
	stdout := os.Stdout
	os.Stdout = os.Stderr
	enc := json.NewEncoder(stdout)
	enc.SetEscapeHTML(false)
	return &Writer{enc: enc}
}

// Print writes one line.
func (w *Writer) Print(v any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.enc.Encode(v); err != nil {
		Fatal(fmt.Errorf("cannot write: %w", err))
	}
}

// Serve answers each line with what run makes of it, and ends the process once
// an op called quit has been answered.
func (w *Writer) Serve(lines <-chan []byte, run func(line []byte) (any, error)) {
	for line := range lines {
		if len(strings.TrimSpace(string(line))) == 0 {
			continue
		}
		var command struct {
			ID json.RawMessage `json:"id"`
			Op string          `json:"op"`
		}
		err := json.Unmarshal(line, &command)
		var result any
		if err == nil {
			result, err = run(line)
		}
		if err != nil {
			w.Print(failure{ID: command.ID, Error: err.Error()})
			continue
		}
		w.Print(reply{ID: command.ID, OK: true, Result: result})
		if command.Op == "quit" {
			os.Exit(0)
		}
	}
}

// Read reads stdin on its own goroutine, so that its end ends the process even
// while a command waits for an answer.
func Read() <-chan []byte {
	lines := make(chan []byte, 1024)
	go func() {
		scanner := bufio.NewScanner(os.Stdin)
		scanner.Buffer(nil, 16<<20)
		for scanner.Scan() {
			lines <- append([]byte(nil), scanner.Bytes()...)
		}
		if err := scanner.Err(); err != nil {
			Fatal(err)
		}
		os.Exit(0)
	}()
	return lines
}

// Fatal ends the process with the error on stderr.
func Fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Version returns the version of the module that the driver is built with.
func Version(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == path {
				return dep.Version
			}
		}
	}
	return "unknown"
}

// Server is an address as the clients take it.
type Server struct {
	Host string
	Port uint64
}

// Servers reads HOST:PORT, or several separated by commas.
func Servers(list string) ([]Server, error) {
	var servers []Server
	for _, address := range strings.Split(list, ",") {
		host, portText, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		port, err := strconv.ParseUint(portText, 10, 16)
		if err != nil {
			return nil, err
		}
		if strings.Contains(host, ":") {
			host = "[" + host + "]" // the clients only join the two with a colon
		}
		servers = append(servers, Server{Host: host, Port: port})
	}
	return servers, nil
}

// Succeeded turns a client's false into an error.
func Succeeded(ok bool, err error) error {
	if err == nil && !ok {
		return errors.New("the client returned false")
	}
	return err
}
