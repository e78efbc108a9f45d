package io.github.sgpt4j.weightstools.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A hub reached by https.
class HubTlsTest extends HubFixture {
    private static final char[] PASSWORD = "changeit".toCharArray();

    private final List<String> tokens = new CopyOnWriteArrayList<>();
    private final SSLContext usual = defaultContext();

    @TempDir
    private static Path keyFolder;

    private static KeyStore keys;
    private HttpsServer secure;
    private SSLContext context;

    private static SSLContext defaultContext() {
        try {
            return SSLContext.getDefault();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @BeforeAll
    static void makeKeys() throws Exception {
        keys = keys(keyFolder.resolve("keys"));
    }

    @BeforeEach
    void startSecure() throws Exception {
        context = context(keys);
        secure = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        secure.setHttpsConfigurator(new HttpsConfigurator(context));
        secure.createContext("/", exchange -> {
            try (exchange) {
                tokens.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
                FakeHub.redirect(server.endpoint() + exchange.getRequestURI()).give(exchange);
            }
        });
        secure.start();
    }

    @AfterEach
    void stopSecure() {
        secure.stop(0);
        SSLContext.setDefault(usual);
    }

    /// A key and a certificate for this machine.
    private static KeyStore keys(Path file) throws Exception {
        String options = "-genkeypair -alias a -keyalg EC -dname CN=127.0.0.1 -ext san=ip:127.0.0.1 -storetype PKCS12"
                + " -storepass " + new String(PASSWORD);
        List<String> command = new ArrayList<>(List.of(options.split(" ")));
        command.addFirst(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of("-keystore", file.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), said);
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            keys.load(in, PASSWORD);
        }
        return keys;
    }

    private static SSLContext context(KeyStore keys) throws Exception {
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, PASSWORD);
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("a", keys.getCertificate("a"));
        TrustManagerFactory others = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        others.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), others.getTrustManagers(), null);
        return context;
    }

    private String fails() {
        HubSettings settings = settings()
                .endpoint("https://127.0.0.1:" + secure.getAddress().getPort())
                .token(Optional.of("hf_secret"))
                .build();
        return assertThrows(HubException.class, () -> hub(settings).download(MODEL, HubOptions.DEFAULT, listener))
                .getMessage();
    }

    @Test
    void neverFollowsFromHttpsToHttp() {
        SSLContext.setDefault(context);
        assertTrue(fails().endsWith(" leads from https to http, which is not followed"));
        assertEquals(List.of("Bearer hf_secret"), tokens);
        assertEquals(List.of(), server.requests);
    }

    @Test
    void refusesACertificateThatNobodyTrusts() {
        String message = fails();
        assertTrue(message.contains("no secure connection to https://127.0.0.1:"), message);
        assertEquals(List.of(), tokens);
        assertEquals(List.of(), listener.notices, "no second try");
    }
}
