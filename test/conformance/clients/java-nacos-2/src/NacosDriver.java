/*
 * Lets a test steer the real Java nacos-client 2.x and 3.x: commands come in on stdin and answers and
 * change events go out on stdout, one JSON object a line; the client's log goes to stderr.
 */

import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.PropertyKeyConst;
import com.alibaba.nacos.api.common.Constants;
import com.alibaba.nacos.api.config.ConfigService;
import com.alibaba.nacos.api.config.listener.AbstractListener;
import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingMaintainService;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.listener.EventListener;
import com.alibaba.nacos.api.naming.listener.NamingEvent;
import com.alibaba.nacos.api.naming.pojo.Instance;
import com.alibaba.nacos.common.utils.VersionUtils;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

public final class NacosDriver {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** How long the first connection may take: the client itself would try for ever. */
    private static final int CONNECTED_WITHIN_MS = 30_000;

    private static final int CONFIG_TIMEOUT_MS = 5_000;

    private final PrintStream out;
    private final Properties properties;
    private final NamingService naming;
    private final Map<Subscription, EventListener> listeners = new HashMap<>();
    private NamingMaintainService maintain;
    private ConfigService config;

    private NacosDriver(PrintStream out, Properties properties) throws NacosException {
        this.out = out;
        this.properties = properties;
        this.naming = NacosFactory.createNamingService(properties);
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        Options options;
        try {
            options = Options.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(2);
            return;
        }
        keepFilesBelow(options.tmp());
        if (options.grpcPort() != null) {
            // The one way to another port, and for all servers of the process.
            System.setProperty("nacos.server.grpc.port.offset", String.valueOf(options.grpcPort() - options.mainPort()));
        }
        NacosDriver driver = new NacosDriver(out, options.properties());
        if (!driver.isConnected()) {
            System.err.println("not connected after " + CONNECTED_WITHIN_MS + " ms");
            System.exit(1);
        }
        driver.serve();
    }

    /** The client reads these when its classes load, so they must be set before any of them does. */
    private static void keepFilesBelow(Path tmp) throws IOException {
        String dir = Files.createDirectories(tmp).toRealPath().toString();
        System.setProperty("user.home", dir);
        System.setProperty("JM.LOG.PATH", dir);
        System.setProperty("JM.SNAPSHOT.PATH", dir);
        System.setProperty("nacos.logging.default.config.enabled", "false");
        if (System.getProperty("org.slf4j.simpleLogger.defaultLogLevel") == null) {
            System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
        }
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

    /** Reads on this thread and works on another, so that the end of stdin is noticed during a slow command. */
    private void serve() throws IOException {
        ExecutorService worker = Executors.newSingleThreadExecutor();
        emit(object("event", "ready", "client", "java", "version", VersionUtils.version, "lacks", lacking()));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.isBlank()) {
                continue;
            }
            Command command = Command.parse(line);
            worker.execute(() -> answer(command));
            if (command.op().equals("quit")) {
                return;
            }
        }
        synchronized (out) {
            Runtime.getRuntime().halt(0);
        }
    }

    private void answer(Command command) {
        boolean ok = false;
        try {
            Object result = perform(command);
            ok = true;
            emit(object("id", command.id(), "ok", true, "result", result));
        } catch (NacosException e) {
            emit(failure(command, reason(e), e.getErrCode()));
        } catch (BadCommand e) {
            emit(failure(command, e.getMessage(), NacosException.CLIENT_INVALID_PARAM));
        } catch (Throwable e) {
            e.printStackTrace();
            emit(failure(command, e.toString(), NacosException.SERVER_ERROR));
        }
        if (command.op().equals("quit")) {
            System.exit(ok ? 0 : 1);
        }
    }

    private Object perform(Command c) throws NacosException {
        switch (c.op()) {
            case "register" -> naming.registerInstance(c.service(), c.group(), c.instance());
            case "deregister" -> naming.deregisterInstance(c.service(), c.group(), c.instance());
            case "batchRegister" -> batch("batchRegisterInstance", c);
            case "batchDeregister" -> batch("batchDeregisterInstance", c);
            case "update" -> maintain().updateInstance(c.service(), c.group(), c.instance());
            case "instances" -> {
                return instances(c, !c.flag("fresh", false));
            }
            case "subscribe" -> subscribe(c.subscription());
            case "unsubscribe" -> unsubscribe(c.subscription());
            case "services" -> {
                var page = naming.getServicesOfServer(c.integer("pageNo", 1), c.integer("pageSize", 100), c.group());
                return object("count", page.getCount(), "names", page.getData());
            }
            case "serverStatus" -> {
                return naming.getServerStatus();
            }
            case "configGet" -> {
                return config().getConfig(c.dataId(), c.group(), CONFIG_TIMEOUT_MS);
            }
            case "configPublish" -> {
                return c.casMd5() == null
                        ? config().publishConfig(c.dataId(), c.group(), c.content())
                        : config().publishConfigCas(c.dataId(), c.group(), c.content(), c.casMd5());
            }
            case "configRemove" -> {
                return config().removeConfig(c.dataId(), c.group());
            }
            case "configListen" -> configListen(c.dataId(), c.group());
            case "quit" -> shutDown();
            default -> throw new BadCommand(c.problem() != null ? c.problem() : "unknown op: " + c.op());
        }
        return null;
    }

    /** By name, because clients before 2.1.1 do not have the one, and before 2.2 not the other. */
    private void batch(String method, Command c) throws NacosException {
        Method found = namingMethod(method);
        if (found == null) {
            throw new BadCommand("this client has no " + method);
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

    private List<Object> instances(Command c, boolean subscribe) throws NacosException {
        return printable(c.flag("healthyOnly", false)
                ? naming.selectInstances(c.service(), c.group(), c.clusters(), true, subscribe)
                : naming.getAllInstances(c.service(), c.group(), c.clusters(), subscribe));
    }

    private void subscribe(Subscription s) throws NacosException {
        if (listeners.containsKey(s)) {
            throw new BadCommand("already subscribed");
        }
        EventListener listener = event -> {
            if (event instanceof NamingEvent change) {
                emit(object("event", "change", "service", s.service(), "group", s.group(),
                        "instances", printable(change.getInstances())));
            }
        };
        naming.subscribe(s.service(), s.group(), s.clusters(), listener);
        listeners.put(s, listener);
    }

    private void unsubscribe(Subscription s) throws NacosException {
        EventListener listener = listeners.get(s);
        if (listener == null) {
            throw new BadCommand("not subscribed");
        }
        naming.unsubscribe(s.service(), s.group(), s.clusters(), listener);
        listeners.remove(s);
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
                emit(object("event", "config", "dataId", dataId, "group", group, "content", content));
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

    private void emit(Map<String, Object> message) {
        String line;
        try {
            line = JSON.writeValueAsString(message);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
        synchronized (out) {
            out.print(line + "\n");
            out.flush();
        }
    }

    /** The cause as well: 2.0 says no more by itself than that a request failed. */
    private static String reason(NacosException e) {
        String message = e.getErrMsg();
        Throwable cause = e.getCause();
        return cause == null || message.equals(cause.getMessage()) ? message : message + cause.getMessage();
    }

    private static Map<String, Object> failure(Command command, String error, int code) {
        return object("id", command.id(), "ok", false, "error", error, "code", code);
    }

    private static List<Object> printable(List<Instance> instances) {
        List<Object> list = new ArrayList<>();
        for (Instance i : instances) {
            list.add(object("ip", i.getIp(), "port", i.getPort(), "cluster", i.getClusterName(),
                    "service", i.getServiceName(), "weight", i.getWeight(), "healthy", i.isHealthy(),
                    "enabled", i.isEnabled(), "ephemeral", i.isEphemeral(),
                    "instanceId", i.getInstanceId(), "metadata", i.getMetadata()));
        }
        return list;
    }

    private static Map<String, Object> object(Object... keysAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }

    private record Subscription(String service, String group, List<String> clusters) {
    }

    /** A command the driver refuses by itself, without asking the client. */
    private static final class BadCommand extends RuntimeException {
        private static final long serialVersionUID = 1L;

        BadCommand(String message) {
            super(message);
        }
    }

    private record Command(JsonNode id, String op, String problem, JsonNode fields) {

        static Command parse(String line) {
            try {
                JsonNode fields = JSON.readTree(line);
                JsonNode id = fields.get("id");
                return new Command(id == null ? NullNode.instance : id, fields.path("op").asText(), null, fields);
            } catch (JsonProcessingException e) {
                return new Command(NullNode.instance, "", "not JSON: " + e.getOriginalMessage(), NullNode.instance);
            }
        }

        String service() {
            return required("service").asText();
        }

        String group() {
            return text("group", Constants.DEFAULT_GROUP);
        }

        List<String> clusters() {
            List<String> names = new ArrayList<>();
            fields.path("clusters").forEach(name -> names.add(name.asText()));
            return names;
        }

        Subscription subscription() {
            return new Subscription(service(), group(), clusters());
        }

        String dataId() {
            return required("dataId").asText();
        }

        String content() {
            return required("content").asText();
        }

        String casMd5() {
            return text("casMd5", null);
        }

        Instance instance() {
            return instance(fields);
        }

        List<Instance> instances() {
            List<Instance> list = new ArrayList<>();
            required("instances").forEach(each -> list.add(instance(each)));
            return list;
        }

        private static Instance instance(JsonNode fields) {
            Instance instance = new Instance();
            instance.setIp(required(fields, "ip").asText());
            instance.setPort(required(fields, "port").asInt());
            instance.setClusterName(text(fields, "cluster", Constants.DEFAULT_CLUSTER_NAME));
            instance.setWeight(fields.path("weight").asDouble(1.0));
            instance.setEnabled(fields.path("enabled").asBoolean(true));
            instance.setEphemeral(fields.path("ephemeral").asBoolean(true));
            Map<String, String> metadata = new HashMap<>();
            fields.path("metadata").fields().forEachRemaining(e -> metadata.put(e.getKey(), e.getValue().asText()));
            instance.setMetadata(metadata);
            return instance;
        }

        int integer(String name, int otherwise) {
            return fields.path(name).asInt(otherwise);
        }

        boolean flag(String name, boolean otherwise) {
            return fields.path(name).asBoolean(otherwise);
        }

        private String text(String name, String otherwise) {
            return text(fields, name, otherwise);
        }

        private JsonNode required(String name) {
            return required(fields, name);
        }

        private static String text(JsonNode fields, String name, String otherwise) {
            return fields.hasNonNull(name) ? fields.get(name).asText() : otherwise;
        }

        private static JsonNode required(JsonNode fields, String name) {
            if (!fields.hasNonNull(name)) {
                throw new BadCommand("missing field: " + name);
            }
            return fields.get(name);
        }
    }

    private record Options(Properties properties, Path tmp, int mainPort, Integer grpcPort) {

        static Options parse(String[] args) {
            Properties properties = new Properties();
            Path tmp = null;
            int mainPort = 0;
            Integer grpcPort = null;
            for (int i = 0; i < args.length; i += 2) {
                if (i + 1 == args.length) {
                    throw new IllegalArgumentException("no value after " + args[i]);
                }
                String value = args[i + 1];
                switch (args[i]) {
                    case "--server" -> {
                        properties.setProperty(PropertyKeyConst.SERVER_ADDR, value);
                        mainPort = Integer.parseInt(value.substring(value.lastIndexOf(':') + 1));
                    }
                    case "--grpc-port" -> grpcPort = Integer.valueOf(value);
                    case "--username" -> properties.setProperty(PropertyKeyConst.USERNAME, value);
                    case "--password" -> properties.setProperty(PropertyKeyConst.PASSWORD, value);
                    case "--tmp" -> tmp = Path.of(value);
                    case "--namespace" -> {
                        if (!value.isEmpty()) {
                            properties.setProperty(PropertyKeyConst.NAMESPACE, value);
                        }
                    }
                    case "--property" -> {
                        int equals = value.indexOf('=');
                        if (equals < 1) {
                            throw new IllegalArgumentException("--property wants k=v, not " + value);
                        }
                        properties.setProperty(value.substring(0, equals), value.substring(equals + 1));
                    }
                    default -> throw new IllegalArgumentException("unknown option: " + args[i]);
                }
            }
            if (tmp == null || !properties.containsKey(PropertyKeyConst.SERVER_ADDR)) {
                throw new IllegalArgumentException("--server and --tmp are required");
            }
            return new Options(properties, tmp, mainPort, grpcPort);
        }
    }
}
