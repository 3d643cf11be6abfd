import com.alibaba.nacos.api.PropertyKeyConst;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/** How a driver is started. Without a namespace the client takes its default. */
record Options(Properties properties, Path tmp, int mainPort, Integer grpcPort) {

    /** Ends the process with 2 when they are not fit. */
    static Options parseOrExit(String[] args) {
        try {
            return parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(2);
            throw e;
        }
    }

    private static Options parse(String[] args) {
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
                // By these names in every version; 1.1 knows neither, nor a constant for it.
                case "--username" -> properties.setProperty("username", value);
                case "--password" -> properties.setProperty("password", value);
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

    /** The client reads these when its classes load, so they must be set before any of them does. Returns the folder. */
    String keepFiles() throws IOException {
        String dir = Files.createDirectories(tmp).toRealPath().toString();
        System.setProperty("user.home", dir);
        System.setProperty("JM.LOG.PATH", dir);
        System.setProperty("JM.SNAPSHOT.PATH", dir);
        System.setProperty("nacos.logging.default.config.enabled", "false");
        if (System.getProperty("org.slf4j.simpleLogger.defaultLogLevel") == null) {
            System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
        }
        return dir;
    }
}
