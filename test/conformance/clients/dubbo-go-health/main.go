// Command dubbo-go-health asks for health with dubbo-go's own Triple client
// and prints what it sees as JSON lines. The library's log goes to stderr.
//
//	dubbo-go-health check ADDR SERVICE [OPTIONS] [--triple [--h2c]]  one answer
//	dubbo-go-health watch ADDR SERVICE [OPTIONS]                     statuses until the stream ends
//	dubbo-go-health consumer ADDR INTERFACE [OPTIONS]                a reference; what its own watch does, until stdin ends
//
// OPTIONS are --group G, --version V and --json (serialization). --triple
// leaves gRPC framing for the plain Triple protocol, over HTTP/1.1 or, with
// --h2c, HTTP/2. Only dubbo-go's lower layer can be told to use it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"dubbo.apache.org/dubbo-go/v3/client"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/cluster/failover"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/loadbalance/random"
	"dubbo.apache.org/dubbo-go/v3/common"
	_ "dubbo.apache.org/dubbo-go/v3/filter/graceful_shutdown"
	"dubbo.apache.org/dubbo-go/v3/graceful_shutdown"
	_ "dubbo.apache.org/dubbo-go/v3/protocol/triple"
	health "dubbo.apache.org/dubbo-go/v3/protocol/triple/health/triple_health"
	"dubbo.apache.org/dubbo-go/v3/protocol/triple/triple_protocol"
	_ "dubbo.apache.org/dubbo-go/v3/proxy/proxy_factory"
	"github.com/dubbogo/gost/log/logger"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/genproto/googleapis/rpc/code"
)

const tripleTimeout = 3 * time.Second // what dubbo-go's own references use

type options struct {
	group, version    string
	json, triple, h2c bool
}

var printing sync.Mutex

func emit(v any) {
	printing.Lock()
	defer printing.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		os.Exit(1)
	}
}

func main() {
	args := os.Args[1:]
	if len(args) < 3 {
		usage()
	}
	mode, addr, name := args[0], args[1], args[2]
	o, err := optionsOf(args[3:])
	if err != nil || (o.triple && mode != "check") || (o.h2c && !o.triple) {
		usage()
	}
	if err := redirectLog(mode == "consumer"); err != nil {
		fail(err)
	}
	switch mode {
	case "check":
		err = check(addr, name, o)
	case "watch":
		err = watch(addr, name, o)
	case "consumer":
		err = consume(addr, name, o)
	default:
		usage()
	}
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: dubbo-go-health check|watch|consumer ADDR NAME [--group G] [--version V] [--json]\n"+
		"       dubbo-go-health check ADDR SERVICE ... --triple [--h2c]")
	os.Exit(2)
}

func optionsOf(args []string) (o options, err error) {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&o.group, "group", "", "")
	set.StringVar(&o.version, "version", "", "")
	set.BoolVar(&o.json, "json", false, "")
	set.BoolVar(&o.triple, "triple", false, "")
	set.BoolVar(&o.h2c, "h2c", false, "")
	if err = set.Parse(args); err == nil && set.NArg() > 0 {
		err = errors.New("unexpected arguments")
	}
	return o, err
}

// redirectLog moves dubbo-go's log off stdout. Its automatic watch says only
// there that it ended, so a consumer prints those lines as well.
func redirectLog(showWatch bool) error {
	config := zap.NewDevelopmentConfig()
	config.DisableStacktrace = true
	log, err := config.Build(zap.AddCallerSkip(1), zap.Hooks(func(entry zapcore.Entry) error {
		if showWatch && strings.Contains(entry.Message, "health watch") {
			emit(map[string]string{"log": entry.Message})
		}
		return nil
	}))
	if err == nil {
		logger.SetLogger(log.Sugar())
	}
	return err
}

func newClient(addr string) (*client.Client, error) {
	return client.NewClient(client.WithClientURL("tri://" + addr))
}

func referenceOptions(o options) []client.ReferenceOption {
	list := []client.ReferenceOption{client.WithGroup(o.group), client.WithVersion(o.version)}
	if o.json {
		list = append(list, client.WithSerializationJSON())
	}
	return list
}

func newHealth(addr string, o options) (health.Health, error) {
	cli, err := newClient(addr)
	if err != nil {
		return nil, err
	}
	return health.NewHealth(cli, referenceOptions(o)...)
}

func check(addr, service string, o options) error {
	request := &health.HealthCheckRequest{Service: service}
	var answer *health.HealthCheckResponse
	var err error
	if o.triple {
		answer, err = checkTriple(addr, request, o)
	} else {
		var svc health.Health
		if svc, err = newHealth(addr, o); err != nil {
			return err
		}
		answer, err = svc.Check(context.Background(), request)
	}
	if err != nil {
		name, message := describe(err)
		emit(struct {
			Error   string `json:"error"`
			Message string `json:"message"`
		}{name, message})
	} else {
		emit(map[string]string{"status": answer.Status.String()})
	}
	return nil
}

func checkTriple(addr string, request *health.HealthCheckRequest, o options) (*health.HealthCheckResponse, error) {
	transport := &http.Transport{}
	if o.h2c {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	list := []triple_protocol.ClientOption{
		triple_protocol.WithTriple(),
		triple_protocol.WithTimeout(tripleTimeout),
		triple_protocol.WithGroup(o.group),
		triple_protocol.WithVersion(o.version),
	}
	if o.json {
		list = append(list, triple_protocol.WithProtoJSON())
	}
	cli := triple_protocol.NewClient(&http.Client{Transport: transport}, "http://"+addr+"/"+health.HealthName, list...)
	answer := new(health.HealthCheckResponse)
	err := cli.CallUnary(context.Background(), triple_protocol.NewRequest(request), "Check", triple_protocol.NewResponse(answer))
	return answer, err
}

func watch(addr, service string, o options) error {
	svc, err := newHealth(addr, o)
	if err != nil {
		return err
	}
	stream, err := svc.Watch(context.Background(), &health.HealthCheckRequest{Service: service})
	if err == nil {
		for stream.Recv() {
			emit(map[string]string{"status": stream.Msg().Status.String()})
		}
		err = stream.Err()
	}
	name, message := describe(err)
	emit(struct {
		End     string `json:"end"`
		Message string `json:"message"`
	}{name, message})
	return nil
}

// describe uses the canonical spelling; dubbo-go's own String gives "not_found".
func describe(err error) (name, message string) {
	if err == nil {
		return code.Code_OK.String(), ""
	}
	message = err.Error()
	if failure := new(triple_protocol.Error); errors.As(err, &failure) {
		message = failure.Message()
	}
	return code.Code(triple_protocol.CodeOf(err)).String(), message
}

// consume refers to an interface and never calls it. The watch that dubbo-go
// opens by itself hands a NOT_SERVING to whoever keeps the list of instances
// of that service: here, directory.
func consume(addr, name string, o options) error {
	key := common.ServiceKey(name, o.group, o.version)
	graceful_shutdown.DefaultClosingDirectoryRegistry().Register(key, &directory{key})
	cli, err := newClient(addr)
	if err != nil {
		return err
	}
	info := &client.ClientInfo{InterfaceName: name} // without it, dubbo-go takes its older Triple client
	if _, err := cli.DialWithInfo(name, info, referenceOptions(o)...); err != nil {
		return err
	}
	emit(map[string]string{"watching": key})
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

type directory struct{ key string }

func (d *directory) RemoveClosingInstance(instance string) bool {
	emit(map[string]string{"closing": d.key, "instance": instance})
	return true
}
