import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.PropertyKeyConst;
import com.alibaba.nacos.api.config.ConfigService;
import com.alibaba.nacos.api.config.listener.AbstractListener;
import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingMaintainService;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.pojo.Service;
import com.alibaba.nacos.api.selector.NoneSelector;
import com.alibaba.nacos.client.naming.utils.UtilAndComs;
import java.util.Properties;

/** Lets a test steer the real Java nacos-client 1.x over lines of JSON; the client's log goes to stderr. */
public final class NacosDriver implements Lines.Performer {

    private static final int CONFIG_TIMEOUT_MS = 5_000;

    private final Lines lines;
    private final Properties properties;
    private final NamingService naming;
    private final Subscriptions subscriptions;
    private NamingMaintainService maintain;
    private ConfigService config;

    private NacosDriver(Lines lines, Properties properties) throws NacosException {
        this.lines = lines;
        this.properties = properties;
        this.naming = NacosFactory.createNamingService(properties);
        this.subscriptions = new Subscriptions(lines, naming);
    }

    public static void main(String[] args) throws Exception {
        Lines lines = Lines.takeStdout();
        Options options = Options.parseOrExit(args);
        System.setProperty("com.alibaba.nacos.naming.cache.dir", options.keepFiles() + "/nacos/naming");
        Properties properties = options.properties();
        // To these clients it is the one that has no name.
        if ("public".equals(properties.getProperty(PropertyKeyConst.NAMESPACE))) {
            properties.remove(PropertyKeyConst.NAMESPACE);
        }
        NacosDriver driver = new NacosDriver(lines, properties);
        // The class that says it alone has another package in 1.1.
        lines.emit(Lines.object("event", "ready", "client", "java", "version", UtilAndComs.VERSION));
        lines.serve(driver);
    }

    @Override
    public Object perform(Command c) throws NacosException {
        switch (c.op()) {
            case "register" -> naming.registerInstance(c.service(), c.group(), c.instance());
            case "deregister" -> naming.deregisterInstance(c.service(), c.group(), c.instance());
            case "update" -> maintain().updateInstance(c.service(), c.group(), c.instance());
            case "instances" -> {
                return subscriptions.instances(c, false);
            }
            case "cachedInstances" -> {
                return subscriptions.instances(c, true);
            }
            case "subscribe" -> subscriptions.subscribe(c);
            case "unsubscribe" -> subscriptions.unsubscribe(c);
            case "services" -> {
                var page = naming.getServicesOfServer(c.integer("pageNo", 1), c.integer("pageSize", 100), c.group());
                return Lines.object("count", page.getCount(), "names", page.getData());
            }
            case "createService" -> maintain().createService(serviceSettings(c), new NoneSelector());
            case "updateService" -> maintain().updateService(serviceSettings(c), new NoneSelector());
            case "queryService" -> {
                Service s = maintain().queryService(c.service(), c.group());
                return Lines.object("service", s.getName(), "group", s.getGroupName(),
                        "protectThreshold", s.getProtectThreshold(), "metadata", s.getMetadata());
            }
            case "deleteService" -> {
                return maintain().deleteService(c.service(), c.group());
            }
            case "serverStatus" -> {
                return naming.getServerStatus();
            }
            case "configGet" -> {
                return config().getConfig(c.required("dataId"), c.group(), CONFIG_TIMEOUT_MS);
            }
            case "configPublish" -> {
                return config().publishConfig(c.required("dataId"), c.group(), c.required("content"));
            }
            case "configRemove" -> {
                return config().removeConfig(c.required("dataId"), c.group());
            }
            case "configListen" -> configListen(c.required("dataId"), c.group());
            case "configStatus" -> {
                return config().getServerStatus();
            }
            // 1.1 knows no other way to end than that of its process.
            case "quit" -> { }
            default -> throw c.unknown();
        }
        return null;
    }

    private static Service serviceSettings(Command c) {
        Service service = new Service(c.service());
        service.setGroupName(c.group());
        service.setProtectThreshold((float) c.decimal("protectThreshold", 0));
        service.setMetadata(c.metadata());
        return service;
    }

    /** Made on first use: it listens by itself, which a test of the naming API should not see. */
    private ConfigService config() throws NacosException {
        if (config == null) {
            config = NacosFactory.createConfigService(properties);
        }
        return config;
    }

    private void configListen(String dataId, String group) throws NacosException {
        config().addListener(dataId, group, new AbstractListener() {
            @Override
            public void receiveConfigInfo(String content) {
                lines.emit(Lines.object("event", "config", "dataId", dataId, "group", group, "content", content));
            }
        });
    }

    /** Made on first use: it logs in by itself, which a test of the naming API should not see. */
    private NamingMaintainService maintain() throws NacosException {
        if (maintain == null) {
            maintain = NacosFactory.createMaintainService(properties);
        }
        return maintain;
    }
}
