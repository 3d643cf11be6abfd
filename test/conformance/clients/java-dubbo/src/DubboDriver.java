/*
 * A provider or a consumer of one small service over the real Apache Dubbo, with Nacos as its registry, configuration and
 * metadata centre. Commands come in on stdin and answers go out on stdout, one JSON object a line; logs go to stderr.
 */

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javassist.ClassPool;
import javassist.CtClass;
import javassist.CtNewMethod;
import org.apache.dubbo.common.Version;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;

public final class DubboDriver {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CALL_TIMEOUT_MS = 3_000;

    private final PrintStream out;
    private final DubboBootstrap dubbo;
    /** Undefined in a provider. */
    private final Greeter greeter;

    private DubboDriver(PrintStream out, DubboBootstrap dubbo, Greeter greeter) {
        this.out = out;
        this.dubbo = dubbo;
        this.greeter = greeter;
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
        prepare(options);
        if (options.role().equals("provider")) {
            provide(options, out).serve();
        } else {
            consume(options, out).serve();
        }
    }

    /** Dubbo and the Nacos client in it read these when their classes load. */
    private static void prepare(Options options) throws IOException {
        String dir = Files.createDirectories(options.tmp()).toRealPath().toString();
        System.setProperty("user.home", dir);
        System.setProperty("JM.LOG.PATH", dir);
        System.setProperty("JM.SNAPSHOT.PATH", dir);
        System.setProperty("nacos.logging.default.config.enabled", "false");
        if (System.getProperty("org.slf4j.simpleLogger.defaultLogLevel") == null) {
            System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
        }
        if (options.grpcPort() != null) {
            // The one way to another port, and for all servers of the process.
            int offset = options.grpcPort() - options.registry().getPort();
            System.setProperty("nacos.server.grpc.port.offset", String.valueOf(offset));
        }
        System.setProperty("dubbo.application.service-discovery.migration", options.mode().migration);
    }

    private static DubboDriver provide(Options options, PrintStream out) throws Exception {
        Class<?> type = serviceInterface(options);
        ProtocolConfig protocol = new ProtocolConfig("dubbo", options.port());
        ServiceConfig<Object> service = new ServiceConfig<>();
        service.setInterface(type);
        service.setVersion(options.version());
        service.setGroup(options.group());
        service.setRef(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, args) ->
                switch (method.getName()) {
                    case "greet" -> "hello " + args[0] + " from " + options.application() + " at " + options.port();
                    case "equals" -> self == args[0];
                    case "hashCode" -> System.identityHashCode(self);
                    default -> options.interfaceName();
                }));
        DubboBootstrap dubbo = bootstrap(options).protocol(protocol).service(service).start();
        DubboDriver driver = new DubboDriver(out, dubbo, null);
        // Dubbo chooses the address, and never a loopback one where the machine has another.
        driver.emit(object("event", "ready", "client", "dubbo-java", "version", Version.getVersion(),
                "ip", service.toUrl().getHost(), "port", service.toUrl().getPort()));
        return driver;
    }

    private static DubboDriver consume(Options options, PrintStream out) throws Exception {
        Class<?> type = serviceInterface(options);
        ReferenceConfig<Object> reference = new ReferenceConfig<>();
        reference.setInterface(type);
        reference.setVersion(options.version());
        reference.setGroup(options.group());
        reference.setTimeout(CALL_TIMEOUT_MS);
        reference.setRetries(0);
        // It may come up before its providers do.
        reference.setCheck(false);
        DubboBootstrap dubbo = bootstrap(options).reference(reference).start();
        Object proxy = reference.get();
        var greet = type.getMethod("greet", String.class);
        DubboDriver driver = new DubboDriver(out, dubbo, name -> (String) greet.invoke(proxy, name));
        driver.emit(object("event", "ready", "client", "dubbo-java", "version", Version.getVersion()));
        return driver;
    }

    private static DubboBootstrap bootstrap(Options options) {
        ApplicationConfig application = new ApplicationConfig(options.application());
        application.setQosEnable(false);
        application.setRegisterMode(options.mode().registerMode());
        RegistryConfig registry = new RegistryConfig(options.registry().toString());
        registry.setRegisterMode(options.mode().registerMode());
        return DubboBootstrap.getInstance().application(application).registry(registry);
    }

    /** Reads on this thread and works on another, so that the end of stdin is noticed during a slow command. */
    private void serve() throws IOException {
        ExecutorService worker = Executors.newSingleThreadExecutor();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.isBlank()) {
                continue;
            }
            JsonNode command = JSON.readTree(line);
            worker.execute(() -> answer(command));
            if (command.path("op").asText().equals("quit")) {
                return;
            }
        }
        synchronized (out) {
            Runtime.getRuntime().halt(0);
        }
    }

    private void answer(JsonNode command) {
        String op = command.path("op").asText();
        try {
            emit(object("id", command.get("id"), "ok", true, "result", perform(op, command)));
        } catch (InvocationTargetException e) {
            emit(failure(command, e.getCause()));
        } catch (Exception e) {
            emit(failure(command, e));
        }
        if (op.equals("quit")) {
            System.exit(0);
        }
    }

    private String perform(String op, JsonNode command) throws ReflectiveOperationException {
        switch (op) {
            case "call" -> {
                if (greeter == null) {
                    throw new IllegalStateException("a provider calls nobody");
                }
                return greeter.greet(command.path("name").asText());
            }
            case "quit" -> dubbo.stop();
            default -> throw new IllegalArgumentException("unknown op: " + op);
        }
        return null;
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

    private static Map<String, Object> failure(JsonNode command, Throwable error) {
        return object("id", command.get("id"), "ok", false, "error", String.valueOf(error.getMessage()));
    }

    private static Map<String, Object> object(Object... keysAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }

    private interface Greeter {
        String greet(String name) throws ReflectiveOperationException;
    }

    /**
     * The service's interface, made under whatever name a test asks for, so that tests need not share one. It comes from
     * a class file because Dubbo reads the classes that it wraps.
     */
    private static Class<?> serviceInterface(Options options) throws Exception {
        CtClass type = ClassPool.getDefault().makeInterface(options.interfaceName());
        type.addMethod(CtNewMethod.make("String greet(String name);", type));
        Path classes = options.tmp().resolve("classes");
        type.writeFile(classes.toString());
        ClassLoader loader = new URLClassLoader(new URL[] {classes.toUri().toURL()});
        // Dubbo looks its interfaces up by name as well.
        Thread.currentThread().setContextClassLoader(loader);
        return loader.loadClass(options.interfaceName());
    }

    /** How a provider registers, and what a consumer looks for. */
    private enum Mode {
        INTERFACE("FORCE_INTERFACE"),
        INSTANCE("FORCE_APPLICATION"),
        ALL("APPLICATION_FIRST");

        final String migration;

        Mode(String migration) {
            this.migration = migration;
        }

        String registerMode() {
            return name().toLowerCase();
        }
    }

    private record Options(String role, URI registry, Path tmp, Integer grpcPort, Mode mode, int port,
            String application, String interfaceName, String version, String group) {

        static Options parse(String[] args) {
            if (args.length == 0 || !args[0].equals("provider") && !args[0].equals("consumer")) {
                throw new IllegalArgumentException("usage: provider|consumer --server HOST:PORT --tmp DIR ...");
            }
            Map<String, String> given = new HashMap<>();
            for (int i = 1; i < args.length; i += 2) {
                if (i + 1 == args.length) {
                    throw new IllegalArgumentException("no value after " + args[i]);
                }
                given.put(args[i], args[i + 1]);
            }
            String registry = given.remove("--server");
            String tmp = given.remove("--tmp");
            if (registry == null || tmp == null) {
                throw new IllegalArgumentException("--server and --tmp are required");
            }
            String grpcPort = given.remove("--grpc-port");
            Options options = new Options(args[0], URI.create("nacos://" + registry), Path.of(tmp),
                    grpcPort == null ? null : Integer.valueOf(grpcPort),
                    Mode.valueOf(take(given, "--mode", "all").toUpperCase()),
                    Integer.parseInt(take(given, "--port", "-1")),
                    take(given, "--application", "greeter-" + args[0]),
                    take(given, "--interface", "beatbridge.conformance.Greeter"),
                    given.remove("--version"), given.remove("--group"));
            if (!given.isEmpty()) {
                throw new IllegalArgumentException("unknown options: " + given.keySet());
            }
            return options;
        }

        private static String take(Map<String, String> given, String name, String otherwise) {
            String value = given.remove(name);
            return value == null ? otherwise : value;
        }
    }
}
