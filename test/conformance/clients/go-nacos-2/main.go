// Command go-nacos-2 drives the unmodified nacos-sdk-go v2 clients (naming,
// and config once it is asked for) over JSON lines, so that a test in another
// language can steer them as a child process: commands on stdin, replies and
// change events on stdout.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"beatbridge.test/lines"
	"github.com/nacos-group/nacos-sdk-go/v2/clients"
	"github.com/nacos-group/nacos-sdk-go/v2/clients/config_client"
	"github.com/nacos-group/nacos-sdk-go/v2/clients/naming_client"
	"github.com/nacos-group/nacos-sdk-go/v2/clients/naming_client/naming_cache"
	"github.com/nacos-group/nacos-sdk-go/v2/clients/naming_client/naming_proxy"
	"github.com/nacos-group/nacos-sdk-go/v2/common/constant"
	"github.com/nacos-group/nacos-sdk-go/v2/common/http_agent"
	"github.com/nacos-group/nacos-sdk-go/v2/model"
	"github.com/nacos-group/nacos-sdk-go/v2/vo"
)

const sdkPath = "github.com/nacos-group/nacos-sdk-go/v2"

var errNotSubscribed = errors.New("not subscribed")

// command is the union of the fields of all operations. Those of an instance
// are decoded apart, for their defaults.
type command struct {
	Op          string         `json:"op"`
	Service     string         `json:"service"`
	Group       string         `json:"group"`
	Instance    registration   `json:"-"`
	Instances   []registration `json:"instances"`
	Clusters    []string       `json:"clusters"`
	HealthyOnly bool           `json:"healthyOnly"`
	Fresh       bool           `json:"fresh"`
	PageNo      uint32         `json:"pageNo"`
	PageSize    uint32         `json:"pageSize"`
	DataID      string         `json:"dataId"`
	Content     string         `json:"content"`
	CasMd5      string         `json:"casMd5"`
}

type registration struct {
	IP        string            `json:"ip"`
	Port      uint64            `json:"port"`
	Cluster   string            `json:"cluster"`
	Weight    float64           `json:"weight"`
	Enabled   bool              `json:"enabled"`
	Ephemeral bool              `json:"ephemeral"`
	Metadata  map[string]string `json:"metadata"`
}

func (r *registration) UnmarshalJSON(data []byte) error {
	type fields registration
	given := fields{Weight: 1, Enabled: true, Ephemeral: true}
	err := json.Unmarshal(data, &given)
	*r = registration(given)
	return err
}

type change struct {
	Event     string     `json:"event"`
	Service   string     `json:"service"`
	Group     string     `json:"group"`
	Clusters  []string   `json:"clusters,omitempty"`
	Instances []instance `json:"instances"`
	Error     string     `json:"error,omitempty"`
}

type configChange struct {
	Event   string `json:"event"`
	DataID  string `json:"dataId"`
	Group   string `json:"group"`
	Content string `json:"content"`
}

type instance struct {
	IP         string            `json:"ip"`
	Port       uint64            `json:"port"`
	Cluster    string            `json:"cluster"`
	Service    string            `json:"service"`
	Weight     float64           `json:"weight"`
	Healthy    bool              `json:"healthy"`
	Enabled    bool              `json:"enabled"`
	Ephemeral  bool              `json:"ephemeral"`
	InstanceID string            `json:"instanceId"`
	Metadata   map[string]string `json:"metadata"`
}

type page struct {
	Count int64    `json:"count"`
	Names []string `json:"names"`
}

type driver struct {
	out    *lines.Writer
	param  vo.NacosClientParam
	naming naming_client.INamingClient
	proxy  naming_proxy.INamingProxy
	config config_client.IConfigClient
	// Unsubscribe compares addresses, so the very parameter must be kept.
	subs map[string][]*vo.SubscribeParam
}

func main() {
	server := flag.String("server", "", "`HOST:PORT` of the registry, or several separated by commas")
	grpcPort := flag.Uint64("grpc-port", 0, "`port` of their gRPC side (default PORT+1000)")
	namespace := flag.String("namespace", "", "namespace `ID`")
	username := flag.String("username", "", "user `name`")
	password := flag.String("password", "", "password")
	tmp := flag.String("tmp", "", "`directory` for the client's log and cache")
	whenEmpty := flag.Bool("update-cache-when-empty", false, "set the client's UpdateCacheWhenEmpty")
	notLoad := flag.Bool("not-load-cache-at-start", false, "set the client's NotLoadCacheAtStart")
	var tls constant.TLSConfig
	flag.StringVar(&tls.CaFile, "ca", "", "whom to trust, in a `file`: all of it goes over TLS then, what is asked over HTTP too")
	flag.StringVar(&tls.CertFile, "cert", "", "a certificate of its own, in a `file`")
	flag.StringVar(&tls.KeyFile, "key", "", "the key of that, in a `file`")
	flag.Parse()
	tls.Enable = tls.CaFile != ""
	if *server == "" || *tmp == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}

	out := lines.TakeStdout()
	servers, err := serverConfigs(*server, *grpcPort, tls.Enable)
	if err != nil {
		lines.Fatal(err)
	}
	d := &driver{
		out: out,
		param: vo.NacosClientParam{
			ClientConfig: &constant.ClientConfig{
				TimeoutMs:            10_000,
				NamespaceId:          *namespace,
				Username:             *username,
				Password:             *password,
				LogDir:               filepath.Join(*tmp, "log"),
				CacheDir:             filepath.Join(*tmp, "cache"),
				UpdateCacheWhenEmpty: *whenEmpty,
				NotLoadCacheAtStart:  *notLoad,
				TLSCfg:               tls,
				DisableUseSnapShot:   true, // else the config client answers from its files when the server does not
			},
			ServerConfigs: servers,
		},
		subs: map[string][]*vo.SubscribeParam{},
	}
	commands := lines.Read()
	if d.naming, err = clients.NewNamingClient(d.param); err != nil {
		lines.Fatal(err)
	}
	d.awaitConnection()
	version := strings.TrimPrefix(lines.Version(sdkPath), "v")
	d.out.Print(lines.Ready{Event: "ready", Client: "go", Version: version})
	d.out.Serve(commands, d.answer)
}

func serverConfigs(list string, grpcPort uint64, secure bool) ([]constant.ServerConfig, error) {
	scheme := constant.DEFAULT_SERVER_SCHEME
	if secure {
		scheme = "https"
	}
	servers, err := lines.Servers(list)
	var configs []constant.ServerConfig
	for _, server := range servers {
		configs = append(configs, constant.ServerConfig{Scheme: scheme, IpAddr: server.Host, Port: server.Port, GrpcPort: grpcPort})
	}
	return configs, err
}

// awaitConnection asks something, because the client is handed out before it
// has a connection when the server was not there at first, and its
// ServerHealthy is content with the HTTP side.
func (d *driver) awaitConnection() {
	for {
		_, err := d.naming.GetAllServicesInfo(vo.GetAllServiceInfoParam{PageNo: 1, PageSize: 1})
		if err == nil {
			return
		}
		fmt.Fprintln(os.Stderr, "not connected:", err)
		time.Sleep(100 * time.Millisecond)
	}
}

func (d *driver) answer(line []byte) (any, error) {
	var cmd command
	if err := errors.Join(json.Unmarshal(line, &cmd), json.Unmarshal(line, &cmd.Instance)); err != nil {
		return nil, err
	}
	return d.run(&cmd)
}

func (d *driver) run(c *command) (any, error) {
	if c.Group == "" {
		c.Group = constant.DEFAULT_GROUP // not everywhere does the client do so
	}
	i := c.Instance
	switch c.Op {
	case "register":
		return nil, lines.Succeeded(d.naming.RegisterInstance(i.param(c)))
	case "deregister":
		return nil, lines.Succeeded(d.naming.DeregisterInstance(vo.DeregisterInstanceParam{
			ServiceName: c.Service, GroupName: c.Group, Cluster: i.Cluster,
			Ip: i.IP, Port: i.Port, Ephemeral: i.Ephemeral,
		}))
	case "batchRegister":
		params := make([]vo.RegisterInstanceParam, 0, len(c.Instances))
		for _, one := range c.Instances {
			params = append(params, one.param(c))
		}
		return nil, lines.Succeeded(d.naming.BatchRegisterInstance(vo.BatchRegisterInstanceParam{
			ServiceName: c.Service, GroupName: c.Group, Instances: params,
		}))
	case "update":
		return nil, lines.Succeeded(d.naming.UpdateInstance(vo.UpdateInstanceParam(i.param(c))))
	case "instances":
		hosts, err := d.instances(c)
		if err != nil {
			return nil, err
		}
		return fromHosts(hosts), nil
	case "subscribe":
		return nil, d.subscribe(c)
	case "unsubscribe":
		return nil, d.unsubscribe(c)
	case "services":
		list, err := d.naming.GetAllServicesInfo(vo.GetAllServiceInfoParam{
			GroupName: c.Group, PageNo: c.PageNo, PageSize: c.PageSize,
		})
		if err != nil {
			return nil, err
		}
		return page{Count: list.Count, Names: append([]string{}, list.Doms...)}, nil
	case "serverStatus":
		if d.naming.ServerHealthy() {
			return "UP", nil
		}
		return "DOWN", nil
	case "configGet", "configPublish", "configRemove", "configListen":
		return d.runConfig(c)
	case "quit":
		d.close()
		return nil, nil
	}
	return nil, fmt.Errorf("unknown op %q", c.Op)
}

func (r registration) param(c *command) vo.RegisterInstanceParam {
	return vo.RegisterInstanceParam{
		ServiceName: c.Service, GroupName: c.Group, ClusterName: r.Cluster,
		Ip: r.IP, Port: r.Port, Weight: r.Weight, Enable: r.Enabled,
		Healthy: true, Ephemeral: r.Ephemeral, Metadata: r.Metadata,
	}
}

// instances goes through the client's cache unless fresh is set.
func (d *driver) instances(c *command) ([]model.Instance, error) {
	switch {
	case c.Fresh:
		return d.query(c)
	case c.HealthyOnly:
		return d.naming.SelectInstances(vo.SelectInstancesParam{
			ServiceName: c.Service, GroupName: c.Group, Clusters: c.Clusters, HealthyOnly: true,
		})
	default:
		// Not SelectInstances: it takes HealthyOnly false as "only the unhealthy".
		return d.naming.SelectAllInstances(vo.SelectAllInstancesParam{
			ServiceName: c.Service, GroupName: c.Group, Clusters: c.Clusters,
		})
	}
}

func (d *driver) query(c *command) ([]model.Instance, error) {
	proxy, err := d.directProxy()
	if err != nil {
		return nil, err
	}
	service, err := proxy.QueryInstancesOfService(c.Service, c.Group, strings.Join(c.Clusters, ","), 0, c.HealthyOnly)
	if err != nil {
		return nil, err
	}
	return service.Hosts, nil
}

// directProxy returns the library's request layer, for the query that its
// naming client does not expose. It is made on demand because it connects and
// logs in once more; its cache is its own, so that it tells no subscriber.
func (d *driver) directProxy() (naming_proxy.INamingProxy, error) {
	if d.proxy == nil {
		config := *d.param.ClientConfig
		if config.NamespaceId == "" {
			config.NamespaceId = constant.DEFAULT_NAMESPACE_ID
		}
		cache := naming_cache.NewServiceInfoHolder(config.NamespaceId, filepath.Join(config.CacheDir, "direct"), true, true)
		// NewNamingClient has completed ServerConfigs in place.
		proxy, err := naming_client.NewNamingProxyDelegate(context.Background(), config, d.param.ServerConfigs, &http_agent.HttpAgent{TlsConfig: config.TLSCfg}, cache)
		if err != nil {
			return nil, err
		}
		d.proxy = proxy
	}
	return d.proxy, nil
}

func (d *driver) subscribe(c *command) error {
	param := &vo.SubscribeParam{ServiceName: c.Service, GroupName: c.Group, Clusters: c.Clusters}
	told := change{Event: "change", Service: c.Service, Group: c.Group, Clusters: c.Clusters}
	param.SubscribeCallback = func(hosts []model.Instance, err error) {
		e := told
		if err != nil {
			e.Event, e.Error = "subscribeError", err.Error()
		}
		e.Instances = fromHosts(hosts)
		d.out.Print(e)
	}
	// Kept even on failure: the client has added the callback by then.
	key := subscriptionKey(c)
	d.subs[key] = append(d.subs[key], param)
	return d.naming.Subscribe(param)
}

func (d *driver) unsubscribe(c *command) error {
	key := subscriptionKey(c)
	params := d.subs[key]
	if len(params) == 0 {
		return errNotSubscribed
	}
	last := len(params) - 1
	d.subs[key] = params[:last]
	return d.naming.Unsubscribe(params[last])
}

func subscriptionKey(c *command) string {
	return strings.Join(append([]string{c.Group, c.Service}, c.Clusters...), "@@")
}

func (d *driver) runConfig(c *command) (any, error) {
	if d.config == nil {
		config, err := clients.NewConfigClient(d.param)
		if err != nil {
			return nil, err
		}
		d.config = config
	}
	param := vo.ConfigParam{DataId: c.DataID, Group: c.Group}
	switch c.Op {
	case "configGet":
		content, err := d.config.GetConfig(param)
		// What is not there is an error for 2.2, and empty for 2.3; nothing that is there can be empty.
		if content == "" && (err == nil || err.Error() == "config data not exist") {
			return nil, nil
		}
		return content, err
	case "configPublish":
		param.Content, param.CasMd5 = c.Content, c.CasMd5
		published, err := d.config.PublishConfig(param)
		if err != nil && strings.HasPrefix(err.Error(), "Cas publish fail") {
			return false, nil
		}
		return published, err
	case "configRemove":
		return d.config.DeleteConfig(param)
	default:
		param.OnChange = func(_, group, dataID, content string) {
			d.out.Print(configChange{Event: "config", DataID: dataID, Group: group, Content: content})
		}
		return nil, d.config.ListenConfig(param)
	}
}

// close ends the connections. It does not deregister anything, like the
// clients themselves.
func (d *driver) close() {
	d.naming.CloseClient()
	if d.proxy != nil {
		d.proxy.CloseClient()
	}
	if d.config != nil {
		d.config.CloseClient()
	}
}

func fromHosts(hosts []model.Instance) []instance {
	list := make([]instance, 0, len(hosts))
	for _, h := range hosts {
		metadata := h.Metadata
		if metadata == nil {
			metadata = map[string]string{}
		}
		list = append(list, instance{
			IP: h.Ip, Port: h.Port, Cluster: h.ClusterName, Service: h.ServiceName,
			Weight: h.Weight, Healthy: h.Healthy, Enabled: h.Enable, Ephemeral: h.Ephemeral,
			InstanceID: h.InstanceId, Metadata: metadata,
		})
	}
	return list
}
