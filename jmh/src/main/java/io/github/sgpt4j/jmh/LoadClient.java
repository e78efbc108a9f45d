package io.github.sgpt4j.jmh;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/// Sends one request after the other on a connection that stays open, at as little cost as possible: it shares the
/// processors with the server that is measured. Used by one thread.
final class LoadClient implements AutoCloseable {
    private static final int MILLISECONDS = 120_000;
    private static final byte[] END = "\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1);

    private final Socket socket = new Socket();
    private final InputStream in;
    private byte[] buffer = new byte[1 << 14];
    private int filled;
    private int bodyStart;

    LoadClient(InetSocketAddress address) throws IOException {
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(MILLISECONDS);
        socket.connect(address, MILLISECONDS);
        in = socket.getInputStream();
    }

    /// A request without a body.
    static byte[] get(String path) {
        return "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n".formatted(path).getBytes(StandardCharsets.ISO_8859_1);
    }

    /// A request with a JSON body.
    static byte[] post(String path, byte[] body) {
        byte[] head =
                "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                        .formatted(path, body.length)
                        .getBytes(StandardCharsets.ISO_8859_1);
        byte[] request = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        return request;
    }

    /// Sends a request and reads the whole answer, which must have a `Content-Length`.
    ///
    /// @return its status
    int ask(byte[] request) throws IOException {
        socket.getOutputStream().write(request);
        filled = 0;
        int end = -1;
        while (end < 0) {
            read();
            end = indexOf(END, 0);
        }
        bodyStart = end + END.length;
        String head = new String(buffer, 0, end, StandardCharsets.ISO_8859_1);
        int length = length(head);
        while (filled < bodyStart + length) {
            read();
        }
        return Integer.parseInt(head.substring(9, 12));
    }

    private static int length(String head) throws IOException {
        for (String line : head.split("\r\n")) {
            if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                return Integer.parseInt(line.substring(line.indexOf(':') + 1).strip());
            }
        }
        throw new IOException("an answer without a length: " + head);
    }

    private void read() throws IOException {
        if (filled == buffer.length) {
            buffer = Arrays.copyOf(buffer, 2 * filled);
        }
        int count = in.read(buffer, filled, buffer.length - filled);
        if (count < 0) {
            throw new EOFException("the server closed the connection");
        }
        filled += count;
    }

    private int indexOf(byte[] wanted, int from) {
        for (int i = from; i <= filled - wanted.length; i++) {
            if (Arrays.equals(buffer, i, i + wanted.length, wanted, 0, wanted.length)) {
                return i;
            }
        }
        return -1;
    }

    /// Whether the answer's body contains some bytes.
    boolean answerHas(byte[] wanted) {
        return indexOf(wanted, bodyStart) >= 0;
    }

    /// The answer's body.
    String answer() {
        return new String(buffer, bodyStart, filled - bodyStart, StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
