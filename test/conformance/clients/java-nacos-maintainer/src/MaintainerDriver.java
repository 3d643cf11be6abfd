import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.pojo.Instance;
import com.alibaba.nacos.api.naming.pojo.Service;
import com.alibaba.nacos.api.naming.pojo.healthcheck.AbstractHealthChecker;
import com.alibaba.nacos.api.naming.pojo.healthcheck.impl.Http;
import com.alibaba.nacos.api.naming.pojo.maintainer.ClusterInfo;
import com.alibaba.nacos.common.utils.VersionUtils;
import com.alibaba.nacos.maintainer.client.config.ConfigMaintainerFactory;
import com.alibaba.nacos.maintainer.client.config.ConfigMaintainerService;
import com.alibaba.nacos.maintainer.client.naming.NamingMaintainerFactory;
import com.alibaba.nacos.maintainer.client.naming.NamingMaintainerService;
import java.util.List;

/** Lets a test steer the real Java nacos-maintainer-client over lines of JSON; the client's log goes to stderr. */
public final class MaintainerDriver implements Lines.Performer {

    private static final int PAGE_SIZE = 100;

    private final NamingMaintainerService maintainer;
    private final ConfigMaintainerService configs;

    private MaintainerDriver(NamingMaintainerService maintainer, ConfigMaintainerService configs) {
        this.maintainer = maintainer;
        this.configs = configs;
    }

    public static void main(String[] args) throws Exception {
        Lines lines = Lines.takeStdout();
        Options options = Options.parseOrExit(args);
        options.keepFiles();
        var maintainer = NamingMaintainerFactory.createNamingMaintainerService(options.properties());
        var configs = ConfigMaintainerFactory.createConfigMaintainerService(options.properties());
        lines.emit(Lines.object("event", "ready", "client", "java-maintainer", "version", VersionUtils.version));
        lines.serve(new MaintainerDriver(maintainer, configs));
    }

    @Override
    public Object perform(Command c) throws NacosException {
        String[] op = c.op().split("\\.", 2);
        String name = op.length == 2 ? op[1] : "";
        return switch (op[0]) {
            case "service" -> service(name, c);
            case "instance" -> instance(name, c);
            case "client" -> client(name, c);
            case "naming" -> naming(name, c);
            case "namespace" -> namespace(name, c);
            case "core" -> core(name, c);
            case "config" -> config(name, c);
            case "quit" -> {
                maintainer.shutdown();
                yield null;
            }
            default -> throw c.unknown();
        };
    }

    private Object config(String name, Command c) throws NacosException {
        String dataId = c.text("dataId", "");
        return switch (name) {
            case "publish" -> configs.publishConfig(dataId, c.group(), namespaceOf(c), c.required("content"));
            case "get" -> configs.getConfig(dataId, c.group(), namespaceOf(c));
            case "delete" -> configs.deleteConfig(dataId, c.group(), namespaceOf(c));
            case "deleteById" -> configs.deleteConfigs(List.of(Long.valueOf(c.required("configId"))));
            case "list" -> configs.listConfigs(dataId, c.group(), namespaceOf(c));
            case "search" -> configs.searchConfigs(dataId, c.group(), namespaceOf(c));
            case "ofNamespace" -> configs.getConfigListByNamespace(namespaceOf(c));
            case "listeners" -> configs.getListeners(dataId, c.group(), namespaceOf(c), true);
            case "listenedFrom" -> configs.getAllSubClientConfigByIp(c.required("ip"), true, namespaceOf(c), true);
            case "history" -> configs.listConfigHistory(dataId, c.group(), namespaceOf(c), 1, PAGE_SIZE);
            default -> throw c.unknown();
        };
    }

    private Object service(String name, Command c) throws NacosException {
        return switch (name) {
            case "create" -> maintainer.createService(serviceOf(c));
            case "update" -> maintainer.updateService(serviceOf(c));
            case "remove" -> maintainer.removeService(serviceOf(c));
            case "get" -> maintainer.getServiceDetail(serviceOf(c));
            case "list" -> maintainer.listServices(namespaceOf(c), c.text("groupLike", ""), c.text("like", ""),
                    c.flag("ignoreEmpty", false), c.integer("pageNo", 1), c.integer("pageSize", PAGE_SIZE));
            case "listWithDetail" -> maintainer.listServicesWithDetail(namespaceOf(c), c.text("groupLike", ""),
                    c.text("like", ""), c.integer("pageNo", 1), c.integer("pageSize", PAGE_SIZE));
            case "subscribers" -> maintainer.getSubscribers(namespaceOf(c), c.group(), c.service(), 1, PAGE_SIZE);
            case "selectorTypes" -> maintainer.listSelectorTypes();
            default -> throw c.unknown();
        };
    }

    private Object instance(String name, Command c) throws NacosException {
        return switch (name) {
            case "register" -> maintainer.registerInstance(serviceOf(c), c.instance());
            case "registerByDefault" -> maintainer.registerInstance(c.service(), c.required("ip"), c.integer("port", 0));
            case "deregister" -> maintainer.deregisterInstance(serviceOf(c), c.instance());
            case "update" -> maintainer.updateInstance(serviceOf(c), c.instance());
            case "partialUpdate" -> maintainer.partialUpdateInstance(serviceOf(c), c.instance());
            case "addMetadata" -> maintainer.batchUpdateInstanceMetadata(serviceOf(c), c.instances(), c.metadata());
            case "removeMetadata" -> maintainer.batchDeleteInstanceMetadata(serviceOf(c), c.instances(), c.metadata());
            case "list" -> maintainer.listInstances(serviceOf(c), c.text("cluster", ""), c.flag("healthyOnly", false));
            case "get" -> maintainer.getInstanceDetail(serviceOf(c), c.instance());
            default -> throw c.unknown();
        };
    }

    private Object client(String name, Command c) throws NacosException {
        return switch (name) {
            case "list" -> maintainer.getClientList();
            case "get" -> maintainer.getClientDetail(c.required("clientId"));
            case "published" -> maintainer.getPublishedServiceList(c.required("clientId"));
            case "subscribed" -> maintainer.getSubscribeServiceList(c.required("clientId"));
            case "publishers" -> maintainer.getPublishedClientList(namespaceOf(c), c.group(), c.service(), null, null);
            case "subscribers" -> maintainer.getSubscribeClientList(namespaceOf(c), c.group(), c.service(), null, null);
            default -> throw c.unknown();
        };
    }

    private Object naming(String name, Command c) throws NacosException {
        return switch (name) {
            case "metrics" -> maintainer.getMetrics(c.flag("onlyStatus", false));
            case "setLogLevel" -> maintainer.setLogLevel("naming-main", "INFO");
            case "checkers" -> maintainer.getHealthCheckers();
            case "setHealth" -> {
                Instance instance = c.instance();
                instance.setHealthy(c.flag("healthy", true));
                yield maintainer.updateInstanceHealthStatus(serviceOf(c), instance);
            }
            case "setChecker" -> maintainer.updateCluster(serviceOf(c), clusterOf(c));
            default -> throw c.unknown();
        };
    }

    private Object namespace(String name, Command c) throws NacosException {
        return switch (name) {
            case "list" -> maintainer.getNamespaceList();
            case "get" -> maintainer.getNamespace(namespaceOf(c));
            case "check" -> maintainer.checkNamespaceIdExist(namespaceOf(c));
            case "create" -> maintainer.createNamespace(namespaceOf(c), c.required("name"), c.text("description", ""));
            case "update" -> maintainer.updateNamespace(namespaceOf(c), c.required("name"), c.text("description", ""));
            case "delete" -> maintainer.deleteNamespace(namespaceOf(c));
            default -> throw c.unknown();
        };
    }

    private Object core(String name, Command c) throws NacosException {
        return switch (name) {
            case "state" -> maintainer.getServerState();
            case "liveness" -> maintainer.liveness();
            case "readiness" -> maintainer.readiness();
            case "ids" -> maintainer.getIdGenerators();
            case "nodes" -> maintainer.listClusterNodes(c.text("address", ""), c.text("state", ""));
            case "setLookup" -> maintainer.updateLookupMode("file");
            case "connections" -> maintainer.getCurrentClients();
            case "load" -> maintainer.getClusterLoaderMetrics();
            case "reload" -> maintainer.reloadConnectionCount(c.integer("count", 0), "");
            case "reloadOne" -> maintainer.reloadSingleClient(c.required("connectionId"), "");
            case "smartReload" -> maintainer.smartReloadCluster("0.1");
            case "raft" -> maintainer.raftOps("doSnapshot", "", "naming_service_metadata");
            case "setLogLevel" -> {
                maintainer.updateLogLevel("com.alibaba.nacos", "INFO");
                yield null;
            }
            default -> throw c.unknown();
        };
    }

    private static Service serviceOf(Command c) {
        Service service = new Service();
        service.setNamespaceId(namespaceOf(c));
        service.setGroupName(c.group());
        service.setName(c.service());
        service.setEphemeral(c.flag("ephemeral", true));
        service.setProtectThreshold((float) c.decimal("protectThreshold", 0));
        service.setMetadata(c.metadata());
        return service;
    }

    private static ClusterInfo clusterOf(Command c) {
        ClusterInfo cluster = new ClusterInfo();
        cluster.setClusterName(c.text("cluster", "DEFAULT"));
        cluster.setHealthyCheckPort(c.integer("checkPort", 80));
        cluster.setUseInstancePortForCheck(c.flag("useInstancePort", true));
        cluster.setMetadata(c.metadata());
        cluster.setHealthChecker(c.text("path", "").isEmpty() ? new AbstractHealthChecker.None() : http(c));
        return cluster;
    }

    private static Http http(Command c) {
        Http http = new Http();
        http.setPath(c.required("path"));
        return http;
    }

    private static String namespaceOf(Command c) {
        return c.text("namespace", "public");
    }
}
