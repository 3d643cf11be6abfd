import java.io.IOException;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import javax.net.ssl.X509TrustManager;
import okhttp3.Call;
import okhttp3.ConnectionPool;
import okhttp3.MediaType;
import okhttp3.OkHttp;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

/** OkHttp, over TLS by ALPN, and in cleartext by prior knowledge. */
final class OverOkHttp implements Client {

    private final String base;
    private final OkHttpClient client;

    OverOkHttp(String server, Trust trust) throws GeneralSecurityException {
        base = (trust == null ? "http://" : "https://") + server;
        var builder = new OkHttpClient.Builder()
            // A watch has nothing to say for a long time.
            .readTimeout(Duration.ZERO)
            .connectionPool(new ConnectionPool());
        if (trust == null) {
            builder.protocols(List.of(Protocol.H2_PRIOR_KNOWLEDGE));
        } else {
            X509TrustManager manager = trust.manager();
            builder.sslSocketFactory(trust.context().getSocketFactory(), manager);
        }
        client = builder.build();
    }

    @Override
    public String contentType() {
        return "application/grpc";
    }

    @Override
    public String version() {
        return OkHttp.VERSION;
    }

    @Override
    public Answer call(String path, String contentType, byte[] body) throws IOException {
        var request = new Request.Builder()
            .url(base + path)
            .header("te", "trailers")
            // Otherwise a long list would come as a short one.
            .header("accept-encoding", "identity")
            .post(RequestBody.create(body, MediaType.get(contentType)))
            .build();
        Call call = client.newCall(request);
        Response response = call.execute();
        if (response.protocol() != Protocol.HTTP_2 && response.protocol() != Protocol.H2_PRIOR_KNOWLEDGE) {
            throw new IOException(response.protocol().toString());
        }
        return new Answer() {
            @Override
            public int status() {
                return response.code();
            }

            @Override
            public InputStream body() {
                return response.body().byteStream();
            }

            @Override
            public OptionalInt grpcStatus() throws IOException {
                String inHeader = response.header("grpc-status");
                String status = inHeader == null ? response.trailers().get("grpc-status") : inHeader;
                return status == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(status));
            }

            @Override
            public void cancel() {
                call.cancel();
            }
        };
    }
}
