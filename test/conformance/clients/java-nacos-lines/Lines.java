import com.alibaba.nacos.api.exception.NacosException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * What the drivers of nacos-client share: commands come in on stdin and answers and events go out on stdout, one JSON object a
 * line. Each driver compiles these sources against its own version of the client.
 */
final class Lines {

    static final ObjectMapper JSON = new ObjectMapper();

    /** What a driver makes of a command. */
    interface Performer {

        Object perform(Command command) throws NacosException;

        default String reason(NacosException e) {
            return e.getErrMsg();
        }
    }

    private final PrintStream out;

    private Lines(PrintStream out) {
        this.out = out;
    }

    /** Whatever else is printed goes to stderr from now on. */
    static Lines takeStdout() {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        return new Lines(out);
    }

    void emit(Map<String, Object> message) {
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

    /** Reads on this thread and works on another, so that the end of stdin is noticed during a slow command. */
    void serve(Performer performer) throws IOException {
        ExecutorService worker = Executors.newSingleThreadExecutor();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.isBlank()) {
                continue;
            }
            Command command = Command.parse(line);
            worker.execute(() -> answer(performer, command));
            if (command.op().equals("quit")) {
                return;
            }
        }
        synchronized (out) {
            Runtime.getRuntime().halt(0);
        }
    }

    private void answer(Performer performer, Command command) {
        boolean ok = false;
        try {
            Object result = performer.perform(command);
            ok = true;
            emit(object("id", command.id(), "ok", true, "result", result));
        } catch (NacosException e) {
            emit(failure(command, performer.reason(e), e.getErrCode()));
        } catch (Command.Bad e) {
            emit(failure(command, e.getMessage(), NacosException.CLIENT_INVALID_PARAM));
        } catch (Throwable e) {
            e.printStackTrace();
            emit(failure(command, e.toString(), NacosException.SERVER_ERROR));
        }
        if (command.op().equals("quit")) {
            System.exit(ok ? 0 : 1);
        }
    }

    private static Map<String, Object> failure(Command command, String error, int code) {
        return object("id", command.id(), "ok", false, "error", error, "code", code);
    }

    static Map<String, Object> object(Object... keysAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }
}
