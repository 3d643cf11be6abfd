// Command go-nacos-1 drives the unmodified nacos-sdk-go v1 naming client (and
// config once it is asked for) over JSON lines, so that a test in another language can steer it as a child
// process: commands on stdin, replies and change events on stdout.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"beatbridge.test/lines"
	"github.com/nacos-group/nacos-sdk-go/clients"
	"github.com/nacos-group/nacos-sdk-go/clients/config_client"
	"github.com/nacos-group/nacos-sdk-go/clients/naming_client"
	"github.com/nacos-group/nacos-sdk-go/common/constant"
	"github.com/nacos-group/nacos-sdk-go/common/http_agent"
	"github.com/nacos-group/nacos-sdk-go/model"
	"github.com/nacos-group/nacos-sdk-go/util"
	"github.com/nacos-group/nacos-sdk-go/vo"
)

const sdkPath = "github.com/nacos-group/nacos-sdk-go"

var errNotSubscribed = errors.New("not subscribed")

// command is the union of the fields of all operations.
type command struct {
	Op          string            `json:"op"`
	Service     string            `json:"service"`
	Group       string            `json:"group"`
	IP          string            `json:"ip"`
	Port        uint64            `json:"port"`
	Cluster     string            `json:"cluster"`
	Clusters    []string          `json:"clusters"`
	Weight      float64           `json:"weight"`
	Enabled     bool              `json:"enabled"`
	Ephemeral   bool              `json:"ephemeral"`
	Metadata    map[string]string `json:"metadata"`
	HealthyOnly bool              `json:"healthyOnly"`
	Fresh       bool              `json:"fresh"`
	PageNo      uint32            `json:"pageNo"`
	PageSize    uint32            `json:"pageSize"`
	DataID      string            `json:"dataId"`
	Content     string            `json:"content"`
}

type configChange struct {
	Event   string `json:"event"`
	DataID  string `json:"dataId"`
	Group   string `json:"group"`
	Content string `json:"content"`
}

type event struct {
	Event     string      `json:"event"`
	Service   string      `json:"service"`
	Group     string      `json:"group"`
	Clusters  []string    `json:"clusters,omitempty"`
	Instances *[]instance `json:"instances,omitempty"`
	Error     string      `json:"error,omitempty"`
}

type instance struct {
	IP         string            `json:"ip"`
	Port       uint64            `json:"port"`
	Cluster    string            `json:"cluster"`
	Service    string            `json:"service"`
	Weight     float64           `json:"weight"`
	Healthy    bool              `json:"healthy"`
	Enabled    bool              `json:"enabled"`
	Ephemeral  *bool             `json:"ephemeral"` // null in events: the callback type has no such field
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
	config config_client.IConfigClient
	proxy  *naming_client.NamingProxy
	// Unsubscribe compares addresses, so the very parameter must be kept.
	subs map[string][]*vo.SubscribeParam
}

func main() {
	server := flag.String("server", "", "`HOST:PORT` of the registry, or several separated by commas")
	namespace := flag.String("namespace", "", "namespace `ID`")
	username := flag.String("username", "", "user `name`")
	password := flag.String("password", "", "password")
	tmp := flag.String("tmp", "", "`directory` for the client's log and cache")
	whenEmpty := flag.Bool("update-cache-when-empty", false, "set the client's UpdateCacheWhenEmpty")
	notLoad := flag.Bool("not-load-cache-at-start", false, "set the client's NotLoadCacheAtStart")
	flag.Parse()
	if *server == "" || *tmp == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}

	out := lines.TakeStdout()
	servers, err := serverConfigs(*server)
	if err != nil {
		lines.Fatal(err)
	}
	d := &driver{
		out: out,
		param: vo.NacosClientParam{
			ClientConfig: &constant.ClientConfig{
				NamespaceId:          *namespace,
				Username:             *username,
				Password:             *password,
				LogDir:               filepath.Join(*tmp, "log"),
				CacheDir:             filepath.Join(*tmp, "cache"),
				UpdateCacheWhenEmpty: *whenEmpty,
				NotLoadCacheAtStart:  *notLoad,
			},
			ServerConfigs: servers,
		},
		subs: map[string][]*vo.SubscribeParam{},
	}
	if d.naming, err = clients.NewNamingClient(d.param); err != nil {
		lines.Fatal(err)
	}
	d.out.Print(lines.Ready{Event: "ready", Client: "go", Version: lines.Version(sdkPath)})
	d.out.Serve(lines.Read(), d.answer)
}

func serverConfigs(list string) ([]constant.ServerConfig, error) {
	servers, err := lines.Servers(list)
	var configs []constant.ServerConfig
	for _, server := range servers {
		configs = append(configs, constant.ServerConfig{IpAddr: server.Host, Port: server.Port})
	}
	return configs, err
}

func (d *driver) answer(line []byte) (any, error) {
	cmd := command{Weight: 1, Enabled: true, Ephemeral: true}
	if err := json.Unmarshal(line, &cmd); err != nil {
		return nil, err
	}
	return d.run(&cmd)
}

func (d *driver) run(c *command) (any, error) {
	switch c.Op {
	case "register":
		return nil, lines.Succeeded(d.naming.RegisterInstance(vo.RegisterInstanceParam{
			ServiceName: c.Service, GroupName: c.Group, ClusterName: c.Cluster,
			Ip: c.IP, Port: c.Port, Weight: c.Weight, Enable: c.Enabled,
			Healthy: true, Ephemeral: c.Ephemeral, Metadata: c.Metadata,
		}))
	case "deregister":
		return nil, lines.Succeeded(d.naming.DeregisterInstance(vo.DeregisterInstanceParam{
			ServiceName: c.Service, GroupName: c.Group, Cluster: c.Cluster,
			Ip: c.IP, Port: c.Port, Ephemeral: c.Ephemeral,
		}))
	case "update":
		return nil, lines.Succeeded(d.naming.UpdateInstance(vo.UpdateInstanceParam{
			ServiceName: c.Service, GroupName: c.Group, ClusterName: c.Cluster,
			Ip: c.IP, Port: c.Port, Weight: c.Weight, Enable: c.Enabled,
			Ephemeral: c.Ephemeral, Metadata: c.Metadata,
		}))
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
		proxy, err := d.directProxy()
		if err != nil {
			return nil, err
		}
		if proxy.ServerHealthy() {
			return "UP", nil
		}
		return "DOWN", nil
	case "configGet", "configPublish", "configRemove", "configListen":
		return d.runConfig(c)
	case "quit":
		return nil, nil
	}
	return nil, fmt.Errorf("unknown op %q", c.Op)
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
		return d.config.GetConfig(param)
	case "configPublish":
		param.Content = c.Content
		return d.config.PublishConfig(param)
	case "configRemove":
		return d.config.DeleteConfig(param)
	default:
		param.OnChange = func(_, group, dataID, content string) {
			d.out.Print(configChange{Event: "config", DataID: dataID, Group: group, Content: content})
		}
		return nil, d.config.ListenConfig(param)
	}
}

// instances goes through the client's cache unless fresh is set.
func (d *driver) instances(c *command) ([]model.Instance, error) {
	switch {
	case c.Fresh:
		return d.queryList(c)
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

func (d *driver) queryList(c *command) ([]model.Instance, error) {
	proxy, err := d.directProxy()
	if err != nil {
		return nil, err
	}
	body, err := proxy.QueryList(util.GetGroupName(c.Service, groupOf(c)), strings.Join(c.Clusters, ","), 0, c.HealthyOnly)
	if err != nil {
		return nil, err
	}
	service := util.JsonToService(body)
	if service == nil {
		return nil, fmt.Errorf("the client cannot decode %s", body)
	}
	return service.Hosts, nil
}

// directProxy returns the library's request layer, for what its naming client
// does not expose. It is made on demand because it logs in once more.
func (d *driver) directProxy() (*naming_client.NamingProxy, error) {
	if d.proxy == nil {
		config := *d.param.ClientConfig
		config.TimeoutMs = 10_000
		proxy, err := naming_client.NewNamingProxy(config, d.param.ServerConfigs, &http_agent.HttpAgent{})
		if err != nil {
			return nil, err
		}
		d.proxy = &proxy
	}
	return d.proxy, nil
}

func (d *driver) subscribe(c *command) error {
	param := &vo.SubscribeParam{ServiceName: c.Service, GroupName: c.Group, Clusters: c.Clusters}
	base := event{Service: c.Service, Group: groupOf(c), Clusters: c.Clusters}
	param.SubscribeCallback = func(services []model.SubscribeService, err error) {
		e := base
		if err != nil {
			e.Event, e.Error = "subscribeError", err.Error()
		} else {
			list := fromCallback(services)
			e.Event, e.Instances = "change", &list
		}
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
	return util.GetServiceCacheKey(util.GetGroupName(c.Service, groupOf(c)), strings.Join(c.Clusters, ","))
}

func groupOf(c *command) string {
	if c.Group == "" {
		return constant.DEFAULT_GROUP
	}
	return c.Group
}

func fromHosts(hosts []model.Instance) []instance {
	list := make([]instance, 0, len(hosts))
	for _, h := range hosts {
		list = append(list, instance{
			IP: h.Ip, Port: h.Port, Cluster: h.ClusterName, Service: h.ServiceName,
			Weight: h.Weight, Healthy: h.Healthy, Enabled: h.Enable, Ephemeral: &h.Ephemeral,
			InstanceID: h.InstanceId, Metadata: orEmpty(h.Metadata),
		})
	}
	return list
}

func fromCallback(services []model.SubscribeService) []instance {
	list := make([]instance, 0, len(services))
	for _, s := range services {
		list = append(list, instance{
			IP: s.Ip, Port: s.Port, Cluster: s.ClusterName, Service: s.ServiceName,
			Weight: s.Weight, Healthy: s.Healthy, Enabled: s.Enable,
			InstanceID: s.InstanceId, Metadata: orEmpty(s.Metadata),
		})
	}
	return list
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
