// Command dubbo-go-greeter is a provider or a consumer of a one-method Triple service
// around the unmodified dubbo-go, with Nacos as its registry, config centre
// and metadata report. It is steered over JSON lines on stdin and stdout; the
// library's log goes to stderr.
//
//	dubbo-go-greeter provider OPTIONS --port N   {"event":"ready"} once it is exported and registered; fails without a registry
//	dubbo-go-greeter consumer OPTIONS            {"event":"ready"} once it refers to the service, with or without providers;
//	                                     then a call for each {"id":1,"op":"call","name":"x"}
//
// SIGTERM ends it in dubbo-go's own orderly way; the end of stdin ends it at once.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"reflect"
	"runtime/debug"
	"time"

	"dubbo.apache.org/dubbo-go/v3"
	"dubbo.apache.org/dubbo-go/v3/client"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/cluster/failover"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/loadbalance/random"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/router/condition"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/router/tag"
	"dubbo.apache.org/dubbo-go/v3/common/constant"
	"dubbo.apache.org/dubbo-go/v3/config_center"
	_ "dubbo.apache.org/dubbo-go/v3/config_center/nacos"
	_ "dubbo.apache.org/dubbo-go/v3/filter/accesslog"
	_ "dubbo.apache.org/dubbo-go/v3/filter/echo"
	_ "dubbo.apache.org/dubbo-go/v3/filter/exec_limit"
	_ "dubbo.apache.org/dubbo-go/v3/filter/generic"
	_ "dubbo.apache.org/dubbo-go/v3/filter/graceful_shutdown"
	_ "dubbo.apache.org/dubbo-go/v3/filter/token"
	_ "dubbo.apache.org/dubbo-go/v3/filter/tps"
	_ "dubbo.apache.org/dubbo-go/v3/metadata/mapping/metadata"
	_ "dubbo.apache.org/dubbo-go/v3/metadata/report/nacos"
	"dubbo.apache.org/dubbo-go/v3/protocol"
	_ "dubbo.apache.org/dubbo-go/v3/protocol/dubbo" // local metadata is asked for over it
	_ "dubbo.apache.org/dubbo-go/v3/protocol/triple"
	_ "dubbo.apache.org/dubbo-go/v3/proxy/proxy_factory"
	"dubbo.apache.org/dubbo-go/v3/registry"
	_ "dubbo.apache.org/dubbo-go/v3/registry/directory"
	_ "dubbo.apache.org/dubbo-go/v3/registry/nacos"
	_ "dubbo.apache.org/dubbo-go/v3/registry/protocol"
	_ "dubbo.apache.org/dubbo-go/v3/registry/servicediscovery"
	"dubbo.apache.org/dubbo-go/v3/server"
	"golang.org/x/sys/unix"
)

const modulePath = "dubbo.apache.org/dubbo-go/v3"

// Relative, as dubbo-go also keeps what it knows of others' metadata where it runs.
var nacosParams = map[string]string{constant.NacosCacheDirKey: "cache", constant.NacosLogDirKey: "log"}

type options struct {
	registry, registryGroup string
	username, password      string
	mode, metadata          string
	application             string
	service, version, group string
	tmp                     string
	port                    int
}

type command struct {
	ID   json.RawMessage `json:"id"`
	Op   string          `json:"op"`
	Name string          `json:"name"`
}

type reply struct {
	ID     json.RawMessage `json:"id"`
	OK     bool            `json:"ok"`
	Result *string         `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

type event struct {
	Event   string `json:"event"`
	Client  string `json:"client"`
	Version string `json:"version"`
	Address string `json:"address,omitempty"`
}

func main() {
	role, o := parse(os.Args)
	out, err := takeStdout()
	if err == nil {
		err = os.Chdir(o.tmp)
	}
	if err != nil {
		fatal(err)
	}
	instance, err := dubbo.NewInstance(
		dubbo.WithName(o.application),
		dubbo.WithRegistry(o.registryOptions()...),
		dubbo.WithConfigCenter(
			config_center.WithNacos(), config_center.WithAddress(o.registry), config_center.WithParams(nacosParams),
			config_center.WithDataID(o.application), config_center.WithGroup("dubbo"),
			config_center.WithUsername(o.username), config_center.WithPassword(o.password),
		),
		o.metadataOption(),
	)
	if err != nil {
		fatal(err)
	}
	if role == "provider" {
		err = provide(instance, o, out)
	} else {
		err = consume(instance, o, out)
	}
	if err != nil {
		fatal(err)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func parse(args []string) (role string, o options) {
	set := flag.NewFlagSet("dubbo-go-greeter provider|consumer", flag.ExitOnError)
	// dubbo-go has no way to say where the gRPC side is: it is at PORT+1000.
	set.StringVar(&o.registry, "server", "", "`HOST:PORT` of Nacos")
	set.StringVar(&o.username, "username", "", "user `name`")
	set.StringVar(&o.password, "password", "", "password")
	set.StringVar(&o.registryGroup, "registry-group", "", "`group` in Nacos (default DEFAULT_GROUP)")
	set.StringVar(&o.mode, "mode", "service", "what is registered: interface or service, which is the application")
	set.StringVar(&o.metadata, "metadata", "local", "where consumers get a service's metadata: local, from the provider, or remote, from the report")
	set.StringVar(&o.application, "application", "greeter", "application `name`")
	set.StringVar(&o.service, "interface", "com.example.Greeter", "interface `name`")
	set.StringVar(&o.version, "version", "", "`version` of the interface")
	set.StringVar(&o.group, "group", "", "`group` of the interface")
	set.StringVar(&o.tmp, "tmp", "", "`directory` for logs and caches")
	set.IntVar(&o.port, "port", 20000, "the provider's `port`")
	if len(args) > 1 {
		role = args[1]
		_ = set.Parse(args[2:])
	}
	if (role != "provider" && role != "consumer") || o.registry == "" || o.tmp == "" || set.NArg() > 0 ||
		(o.mode != "interface" && o.mode != "service") || (o.metadata != "local" && o.metadata != "remote") {
		set.Usage()
		os.Exit(2)
	}
	return role, o
}

// readLines reads on its own goroutine, so that the end of stdin ends the
// process whatever else it does.
func readLines() <-chan []byte {
	lines := make(chan []byte, 1024)
	go func() {
		scanner := bufio.NewScanner(os.Stdin)
		for scanner.Scan() {
			lines <- append([]byte(nil), scanner.Bytes()...)
		}
		os.Exit(0)
	}()
	return lines
}

// takeStdout leaves stderr in its place, for all that the library prints. It
// does so to the descriptor, because some loggers exist before main.
func takeStdout() (*json.Encoder, error) {
	fd, err := unix.Dup(unix.Stdout)
	if err != nil {
		return nil, err
	}
	unix.CloseOnExec(fd)
	enc := json.NewEncoder(os.NewFile(uintptr(fd), "stdout"))
	enc.SetEscapeHTML(false)
	return enc, unix.Dup2(unix.Stderr, unix.Stdout)
}

func (o options) registryOptions() []registry.Option {
	list := []registry.Option{
		registry.WithNacos(), registry.WithAddress(o.registry), registry.WithGroup(o.registryGroup),
		registry.WithParams(nacosParams), registry.WithUsername(o.username), registry.WithPassword(o.password),
	}
	if o.mode == "interface" {
		return append(list, registry.WithRegisterInterface())
	}
	return append(list, registry.WithRegisterService())
}

func (o options) metadataOption() dubbo.InstanceOption {
	if o.metadata == "remote" {
		return dubbo.WithRemoteMetadata()
	}
	return func(*dubbo.InstanceOptions) {}
}

func ready(address string) event {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == modulePath {
				version = dep.Version[len("v"):]
			}
		}
	}
	return event{Event: "ready", Client: "dubbo-go", Version: version, Address: address}
}

// Greeter has a capital because dubbo-go refuses what is not exported.
type Greeter struct{}

func (*Greeter) Greet(_ context.Context, name string) (string, error) {
	return "hello " + name, nil
}

func provide(instance *dubbo.Instance, o options, out *json.Encoder) error {
	srv, err := instance.NewServer(server.WithServerProtocol(
		protocol.WithTriple(), protocol.WithIp("127.0.0.1"), protocol.WithPort(o.port),
	))
	if err != nil {
		return err
	}
	err = srv.RegisterService(&Greeter{},
		server.WithInterface(o.service), server.WithVersion(o.version), server.WithGroup(o.group),
		server.WithSerialization(constant.Hessian2Serialization),
	)
	if err != nil {
		return err
	}
	readLines()
	address := net.JoinHostPort("127.0.0.1", fmt.Sprint(o.port))
	return srv.ServeContext(served{context.Background(), func() { _ = out.Encode(ready(address)) }})
}

// served is told when everything is exported and registered: that is when a
// server first asks its context how it will end. There is no other sign.
type served struct {
	context.Context
	begins func()
}

func (s served) Done() <-chan struct{} {
	s.begins()
	return s.Context.Done()
}

func consume(instance *dubbo.Instance, o options, out *json.Encoder) error {
	cli, err := instance.NewClient()
	if err != nil {
		return err
	}
	lines := readLines()
	conn := refer(cli, o)
	if err := out.Encode(ready("")); err != nil {
		return err
	}
	for line := range lines {
		var c command
		if err := json.Unmarshal(line, &c); err != nil {
			return err
		}
		if err := out.Encode(call(conn, c)); err != nil {
			return err
		}
	}
	return nil
}

func call(conn *client.Connection, c command) reply {
	var answer string
	err := fmt.Errorf("unknown op %q", c.Op)
	if c.Op == "call" {
		err = conn.CallUnary(context.Background(), []any{c.Name}, &answer, "Greet")
	}
	if err != nil {
		return reply{ID: c.ID, Error: err.Error()}
	}
	return reply{ID: c.ID, OK: true, Result: &answer}
}

// refer tries until it succeeds.
func refer(cli *client.Client, o options) *client.Connection {
	for {
		conn, err := dial(cli, o)
		if err == nil {
			return conn
		}
		fmt.Fprintln(os.Stderr, "no reference yet:", err)
		time.Sleep(time.Second)
	}
}

func dial(cli *client.Client, o options) (conn *client.Connection, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("dubbo-go panicked: %v", reason)
		}
	}()
	conn, err = cli.Dial(o.service, client.WithVersion(o.version), client.WithGroup(o.group),
		client.WithIDL(constant.NONIDL), client.WithSerialization(constant.Hessian2Serialization))
	// When the registry did not answer, there is no error, but any call would panic.
	if err == nil && reflect.ValueOf(conn).Elem().FieldByName("refOpts").Elem().FieldByName("invoker").IsNil() {
		err = errors.New("the registry did not answer")
	}
	return conn, err
}
