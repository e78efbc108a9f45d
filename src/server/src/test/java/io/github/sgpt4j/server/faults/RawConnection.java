package io.github.sgpt4j.server.faults;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/// A connection on which anything can be sent, and answers are read as they come.
public final class RawConnection implements AutoCloseable {
    private static final int MILLISECONDS = 60_000;

    private final Socket socket = new Socket();
    private final InputStream in;

    /// An answer.
    ///
    /// @param headers by name in lower case
    public record Answer(int status, Map<String, String> headers, byte[] body) {
        /// The body as text.
        public String text() {
            return new String(body, StandardCharsets.UTF_8);
        }
    }

    /// Connects.
    public RawConnection(InetSocketAddress address) throws IOException {
        this(address, 0);
    }

    /// Connects.
    ///
    /// @param receiveBuffer bytes that the system takes in before they are read; 0 for the usual number
    public RawConnection(InetSocketAddress address, int receiveBuffer) throws IOException {
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(MILLISECONDS);
        socket.connect(address, MILLISECONDS);
        in = new BufferedInputStream(socket.getInputStream(), 1 << 12);
    }

    /// A request with a JSON body.
    ///
    /// @param headers whole lines
    public static byte[] post(String path, byte[] body, String... headers) {
        StringBuilder head = new StringBuilder("POST %s HTTP/1.1\r\nHost: localhost\r\n".formatted(path));
        head.append("Content-Type: application/json\r\nContent-Length: ")
                .append(body.length)
                .append("\r\n");
        for (String header : headers) {
            head.append(header).append("\r\n");
        }
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        request.writeBytes(body);
        return request.toByteArray();
    }

    /// A request with a JSON body.
    public static byte[] post(String path, String body, String... headers) {
        return post(path, body.getBytes(StandardCharsets.UTF_8), headers);
    }

    /// Sends bytes.
    public void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    /// Sends Latin-1.
    public void send(String text) throws IOException {
        send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /// Sends no more.
    public void finish() throws IOException {
        socket.shutdownOutput();
    }

    /// Reads an answer to anything but HEAD.
    public Answer answer() throws IOException {
        return answer(false);
    }

    /// Reads an answer.
    ///
    /// @param head whether it is one without a body, whatever its headers say
    public Answer answer(boolean head) throws IOException {
        int status = Integer.parseInt(line().split(" ", 3)[1]);
        Map<String, String> headers = new HashMap<>();
        String line = line();
        while (!line.isEmpty()) {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
            line = line();
        }
        if (head || status == 204 || status == 304) {
            return new Answer(status, headers, new byte[0]);
        }
        if ("chunked".equals(headers.get("transfer-encoding"))) {
            return new Answer(status, headers, chunks());
        }
        int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
        byte[] body = in.readNBytes(length);
        if (body.length < length) {
            throw new EOFException("the answer ends after %d of %d bytes".formatted(body.length, length));
        }
        return new Answer(status, headers, body);
    }

    private byte[] chunks() throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        int length = Integer.parseInt(line(), 16);
        while (length > 0) {
            body.writeBytes(in.readNBytes(length));
            line();
            length = Integer.parseInt(line(), 16);
        }
        line();
        return body.toByteArray();
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int c = in.read();
        while (c >= 0 && c != '\n') {
            line.write(c);
            c = in.read();
        }
        if (c < 0) {
            throw new EOFException("the connection ends after " + line);
        }
        return line.toString(StandardCharsets.ISO_8859_1).strip();
    }

    /// Sends a request and reads its answer.
    public Answer ask(byte[] request) throws IOException {
        send(request);
        return answer();
    }

    /// Reads until the server closes the connection.
    ///
    /// @return number of bytes that came before
    public long untilClosed() throws IOException {
        byte[] block = new byte[1 << 14];
        long count = 0;
        try {
            int n = in.read(block);
            while (n >= 0) {
                count += n;
                n = in.read(block);
            }
        } catch (SocketException e) {
            // Reset: closed as well.
            return count;
        }
        return count;
    }

    /// Ends with a reset instead of the usual end.
    public void abort() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
