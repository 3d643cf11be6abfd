import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntConsumer;

/** Drives clients of HTTP/2 in Java over JSON lines: commands on stdin, answers and events on stdout. */
public final class Http2Driver {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String HEALTH = "/grpc.health.v1.Health/";
    /** Of a message of gRPC-Web that holds trailers. */
    private static final int TRAILERS = 0x80;

    private final Client client;
    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    /** What has not begun to answer yet is not in it. */
    private final Map<String, Client.Answer> watches = new ConcurrentHashMap<>();
    private final ExecutorService workers = Executors.newCachedThreadPool();

    private Http2Driver(Client client) {
        this.client = client;
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new LinkedHashMap<>();
        for (int i = 1; i + 1 < args.length; i += 2) {
            options.put(args[i], args[i + 1]);
        }
        String server = options.get("--server");
        Trust trust = options.containsKey("--ca") ? Trust.of(Path.of(options.get("--ca"))) : null;
        Client client = switch (args[0]) {
            case "okhttp" -> new OverOkHttp(server, trust);
            case "jdk" -> new OverJdk(server, trust);
            default -> throw new IllegalArgumentException(args[0]);
        };
        new Http2Driver(client).serve(args[0]);
    }

    private void serve(String name) throws IOException {
        emit("event", "ready", "client", name, "version", client.version());
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode command = JSON.readTree(line);
            workers.execute(() -> answer(command));
        }
        Runtime.getRuntime().halt(0);
    }

    private void answer(JsonNode command) {
        int id = command.get("id").asInt();
        try {
            emit("id", id, "ok", true, "result", perform(command));
        } catch (IOException | RuntimeException e) {
            emit("id", id, "ok", false, "error", e.toString());
        }
    }

    private Object perform(JsonNode command) throws IOException {
        String watch = command.path("watch").asText();
        return switch (command.get("op").asText()) {
            case "check" -> check(command.get("service").asText());
            case "json" -> json(command.get("method").asText(), command.get("body").asText());
            case "cut" -> cut();
            case "watch" -> {
                String service = command.get("service").asText();
                workers.execute(() -> watch(watch, service));
                yield null;
            }
            case "cancel" -> {
                watches.get(watch).cancel();
                yield null;
            }
            default -> throw new IllegalArgumentException(command.toString());
        };
    }

    private Object check(String service) throws IOException {
        List<Integer> statuses = new ArrayList<>();
        int code = read(client.call(HEALTH + "Check", client.contentType(), question(service)), statuses::add);
        return object("code", code, "statuses", statuses);
    }

    private Object json(String method, String body) throws IOException {
        var answer = client.call(HEALTH + method, "application/json", body.getBytes(StandardCharsets.UTF_8));
        try (InputStream in = answer.body()) {
            return object("status", answer.status(), "text", new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    /** A list that is broken off when its first byte has come. */
    private Object cut() throws IOException {
        var answer = client.call(HEALTH + "List", "application/json", "{}".getBytes(StandardCharsets.UTF_8));
        if (answer.body().read() < 0) {
            throw new EOFException("nothing has come");
        }
        answer.cancel();
        return true;
    }

    private void watch(String name, String service) {
        try {
            var answer = client.call(HEALTH + "Watch", client.contentType(), question(service));
            watches.put(name, answer);
            int code = read(answer, status -> emit("event", "told", "watch", name, "status", status));
            emit("event", "over", "watch", name, "code", code);
        } catch (IOException e) {
            emit("event", "over", "watch", name, "error", e.toString());
        }
    }

    /** The code that the call ends with, once all of its messages have come. */
    private static int read(Client.Answer answer, IntConsumer onStatus) throws IOException {
        int code = -1;
        try (var in = new DataInputStream(answer.body())) {
            for (int flags = in.read(); flags >= 0; flags = in.read()) {
                byte[] message = new byte[in.readInt()];
                in.readFully(message);
                if ((flags & TRAILERS) != 0) {
                    code = codeIn(new String(message, StandardCharsets.ISO_8859_1));
                } else {
                    onStatus.accept(message.length > 1 ? message[1] : 0);
                }
            }
            return answer.grpcStatus().orElse(code);
        }
    }

    private static int codeIn(String trailers) {
        return trailers.lines()
            .filter(line -> line.startsWith("grpc-status:"))
            .mapToInt(line -> Integer.parseInt(line.substring(line.indexOf(':') + 1).strip()))
            .findFirst()
            .orElse(-1);
    }

    /** A message of HealthCheckRequest behind its prefix. */
    private static byte[] question(String service) {
        byte[] name = service.getBytes(StandardCharsets.UTF_8);
        int length = name.length == 0 ? 0 : name.length + 2;
        ByteBuffer bytes = ByteBuffer.allocate(5 + length).put((byte) 0).putInt(length);
        if (length > 0) {
            bytes.put((byte) 0x0a).put((byte) name.length).put(name);
        }
        return bytes.array();
    }

    private void emit(Object... pairs) {
        try {
            String line = JSON.writeValueAsString(object(pairs));
            synchronized (out) {
                out.print(line + "\n");
                out.flush();
            }
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Map<String, Object> object(Object... pairs) {
        Map<String, Object> object = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            object.put((String) pairs[i], pairs[i + 1]);
        }
        return object;
    }
}
