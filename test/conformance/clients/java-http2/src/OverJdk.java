import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.OptionalInt;

/** The client that the JDK brings. It knows HTTP/2 in cleartext only by an upgrade, and so it is one over TLS; it shows no trailers. */
final class OverJdk implements Client {

    private final String base;
    private final HttpClient client;

    OverJdk(String server, Trust trust) {
        base = "https://" + server;
        client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).sslContext(trust.context()).build();
    }

    @Override
    public String contentType() {
        return "application/grpc-web+proto";
    }

    @Override
    public String version() {
        return System.getProperty("java.version");
    }

    @Override
    public Answer call(String path, String contentType, byte[] body) throws IOException {
        var request = HttpRequest.newBuilder(URI.create(base + path))
            .header("content-type", contentType)
            .POST(BodyPublishers.ofByteArray(body))
            .build();
        HttpResponse<InputStream> response;
        try {
            response = client.send(request, BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        if (response.version() != HttpClient.Version.HTTP_2) {
            throw new IOException(response.version().toString());
        }
        return new Answer() {
            @Override
            public int status() {
                return response.statusCode();
            }

            @Override
            public InputStream body() {
                return response.body();
            }

            @Override
            public OptionalInt grpcStatus() {
                return response.headers().firstValue("grpc-status").map(Integer::parseInt).map(OptionalInt::of)
                    .orElse(OptionalInt.empty());
            }

            @Override
            public void cancel() {
                try {
                    response.body().close();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            }
        };
    }
}
