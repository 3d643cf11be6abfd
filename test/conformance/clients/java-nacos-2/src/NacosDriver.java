import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.config.ConfigService;
import com.alibaba.nacos.api.config.listener.AbstractListener;
import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingMaintainService;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.pojo.Instance;
import com.alibaba.nacos.common.utils.VersionUtils;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Properties;

/** Lets a test steer the real Java nacos-client 2.x and 3.x over lines of JSON; the client's log goes to stderr. */
public final class NacosDriver implements Lines.Performer {

    /** How long the first connection may take: the client itself would try for ever. */
    private static final int CONNECTED_WITHIN_MS = 30_000;

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
        options.keepFiles();
        if (options.grpcPort() != null) {
            // The one way to another port, and for all servers of the process.
            System.setProperty("nacos.server.grpc.port.offset", String.valueOf(options.grpcPort() - options.mainPort()));
        }
        NacosDriver driver = new NacosDriver(lines, options.properties());
        if (!driver.isConnected()) {
            System.err.println("not connected after " + CONNECTED_WITHIN_MS + " ms");
            System.exit(1);
        }
        lines.emit(Lines.object("event", "ready", "client", "java", "version", VersionUtils.version, "lacks", lacking()));
        lines.serve(driver);
    }

    /**
     * Its constructor may give up and go on connecting in the background. Asked by a request, since the client takes an
     * answer over HTTP for a good server status too.
     */
    private boolean isConnected() throws InterruptedException {
        long end = System.nanoTime() + CONNECTED_WITHIN_MS * 1_000_000L;
        while (System.nanoTime() - end < 0) {
            try {
                naming.getServicesOfServer(1, 1);
                return true;
            } catch (NacosException e) {
                if (e.getErrCode() == NacosException.NO_RIGHT) {
                    return true;
                }
            }
            // The client has no event for it.
            Thread.sleep(100);
        }
        return false;
    }

    @Override
    public Object perform(Command c) throws NacosException {
        switch (c.op()) {
            case "register" -> naming.registerInstance(c.service(), c.group(), c.instance());
            case "deregister" -> naming.deregisterInstance(c.service(), c.group(), c.instance());
            case "batchRegister" -> batch("batchRegisterInstance", c);
            case "batchDeregister" -> batch("batchDeregisterInstance", c);
            case "update" -> maintain().updateInstance(c.service(), c.group(), c.instance());
            case "instances" -> {
                return subscriptions.instances(c, !c.flag("fresh", false));
            }
            case "subscribe" -> subscriptions.subscribe(c);
            case "unsubscribe" -> subscriptions.unsubscribe(c);
            case "services" -> {
                var page = naming.getServicesOfServer(c.integer("pageNo", 1), c.integer("pageSize", 100), c.group());
                return Lines.object("count", page.getCount(), "names", page.getData());
            }
            case "serverStatus" -> {
                return naming.getServerStatus();
            }
            case "configGet" -> {
                return config().getConfig(c.required("dataId"), c.group(), CONFIG_TIMEOUT_MS);
            }
            case "configPublish" -> {
                return c.text("casMd5", null) == null
                        ? config().publishConfig(c.required("dataId"), c.group(), c.required("content"))
                        : config().publishConfigCas(c.required("dataId"), c.group(), c.required("content"), c.text("casMd5", null));
            }
            case "configRemove" -> {
                return config().removeConfig(c.required("dataId"), c.group());
            }
            case "configListen" -> configListen(c.required("dataId"), c.group());
            case "quit" -> shutDown();
            default -> throw c.unknown();
        }
        return null;
    }

    /** By name, because clients before 2.1.1 do not have the one, and before 2.2 not the other. */
    private void batch(String method, Command c) throws NacosException {
        Method found = namingMethod(method);
        if (found == null) {
            throw new Command.Bad("this client has no " + method);
        }
        try {
            found.invoke(naming, c.service(), c.group(), c.instances());
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof NacosException refused) {
                throw refused;
            }
            throw new IllegalStateException(e.getCause());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Method namingMethod(String name) {
        try {
            return NamingService.class.getMethod(name, String.class, String.class, List.class);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    private static List<String> lacking() {
        return List.of("batchRegister", "batchDeregister").stream()
                .filter(op -> namingMethod(op + "Instance") == null).toList();
    }

    /** Made on first use: it logs in by itself, which a test of the naming API should not see. */
    private NamingMaintainService maintain() throws NacosException {
        if (maintain == null) {
            maintain = NacosFactory.createMaintainService(properties);
        }
        return maintain;
    }

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

    private void shutDown() throws NacosException {
        if (config != null) {
            config.shutDown();
        }
        if (maintain != null) {
            maintain.shutDown();
        }
        naming.shutDown();
    }

    /** The cause as well: 2.0 says no more by itself than that a request failed. */
    @Override
    public String reason(NacosException e) {
        String message = e.getErrMsg();
        Throwable cause = e.getCause();
        return cause == null || message.equals(cause.getMessage()) ? message : message + cause.getMessage();
    }
}
