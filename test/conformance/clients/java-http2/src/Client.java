import java.io.IOException;
import java.io.InputStream;
import java.util.OptionalInt;

/** A client of HTTP/2, and what a call over it answers as it comes. */
interface Client {

    /** What it asks with: gRPC where it shows trailers, and gRPC-Web where it does not. */
    String contentType();

    /** What it is, and which. */
    String version();

    /** Returns with the header. Fails unless it came over HTTP/2. */
    Answer call(String path, String contentType, byte[] body) throws IOException;

    interface Answer {

        int status();

        InputStream body() throws IOException;

        /** What the header says, or the trailers, once the body has been read; empty where nothing was said or can be seen. */
        OptionalInt grpcStatus() throws IOException;

        /** Breaks it off, from any thread. */
        void cancel();
    }
}
