package io.github.sgpt4j.weightstools.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Names of models, environment variables, addresses.
class HubNamesTest {
    @Test
    void readsNamesWithAndWithoutRevision() {
        assertEquals(
                Optional.of(new HubModel("Muennighoff", "SGPT-125M-weightedmean", "main")),
                HubModel.parse("Muennighoff/SGPT-125M-weightedmean"));
        assertEquals(Optional.of(new HubModel("a", "b.c_d", "v1.0+x")), HubModel.parse("a/b.c_d@v1.0+x"));
        assertEquals(Optional.of(new HubModel("a", "b", "refs/pr/3")), HubModel.parse("a/b@refs/pr/3"));
        assertEquals("a/b@v1", new HubModel("a", "b", "v1").toString());
        assertEquals("a/b", new HubModel("a", "b", "main").toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "gpt2",
                "/b",
                "a/",
                "a/b/c",
                "./b",
                "../b",
                "a/..",
                "a/.b",
                "-a/b",
                "a-/b",
                "a/b.",
                "a--b/c",
                "a/b--c",
                "a/b..c",
                "a/b.git",
                "a/b@",
                "a/b@..",
                "a/b@../x",
                "a/b@x/../y",
                "a/b@/x",
                "a/b@x/",
                "a/b@-x",
                "a/b@x y",
                "a/b@x\0",
                "a/b@.",
                "a/b@x/.",
                "ä/b",
                "a b/c",
                "a\\b/c",
                "a/b\n",
                "~/model",
                "C:/model"
            })
    void refusesOtherForms(String text) {
        assertEquals(Optional.empty(), HubModel.parse(text));
    }

    @Test
    void refusesLongNames() {
        assertEquals(Optional.empty(), HubModel.parse("a/" + "b".repeat(97)));
        assertThrows(IllegalArgumentException.class, () -> new HubModel("a", "..", "main"));
        assertThrows(IllegalArgumentException.class, () -> new HubModel("a", "b", ".."));
    }

    private static HubSettings of(String... pairs) {
        Map<String, String> environment = new HashMap<>(Map.of("HOME", "/home/me"));
        for (int i = 0; i < pairs.length; i += 2) {
            environment.put(pairs[i], pairs[i + 1]);
        }
        return HubSettings.of(environment);
    }

    @Test
    void findsTheCacheAsThePythonClientDoes() {
        assertEquals(Path.of("/home/me/.cache/huggingface/hub"), of().cache());
        assertEquals(
                Path.of("/xdg/huggingface/hub"), of("XDG_CACHE_HOME", "/xdg").cache());
        assertEquals(
                Path.of("/hf/hub"),
                of("XDG_CACHE_HOME", "/xdg", "HF_HOME", "/hf").cache());
        assertEquals(
                Path.of("/old"),
                of("HF_HOME", "/hf", "HUGGINGFACE_HUB_CACHE", "/old").cache());
        assertEquals(
                Path.of("/new"),
                of("HF_HUB_CACHE", "/new", "HUGGINGFACE_HUB_CACHE", "/old").cache());
        assertEquals(Path.of("/home/me/x/hub"), of("HF_HOME", "~/x").cache());
        assertEquals(
                Path.of("/data/x/y/hub"),
                of("HF_HOME", "$DATA/${X}/y", "DATA", "/data", "X", "x").cache());
        assertEquals(Path.of("$NONE/hub"), of("HF_HOME", "$NONE").cache());
        assertEquals(
                Path.of("/hf/hub"), of("HF_HOME", "/hf", "HF_HUB_CACHE", "").cache(), "empty is not set");
    }

    @Test
    void findsTheTokenAsThePythonClientDoes() {
        assertEquals(
                Optional.of("a"),
                of("HF_TOKEN", "a", "HUGGING_FACE_HUB_TOKEN", "b").token());
        assertEquals(
                Optional.of("b"),
                of("HF_TOKEN", "", "HUGGING_FACE_HUB_TOKEN", "b").token());
        assertEquals(Optional.of(Path.of("/hf/token")), of("HF_HOME", "/hf").tokenFile());
        assertEquals(
                Optional.of(Path.of("/t")),
                of("HF_HOME", "/hf", "HF_TOKEN_PATH", "/t").tokenFile());
        HubSettings anonymous = of("HF_TOKEN", "a", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
        assertEquals(Optional.empty(), anonymous.token());
        assertEquals(Optional.empty(), anonymous.tokenFile());
    }

    @Test
    void readsSwitchesAsThePythonClientDoes() {
        assertFalse(of().offline());
        for (String value : new String[] {"1", "on", "Yes", "TRUE"}) {
            assertTrue(of("HF_HUB_OFFLINE", value).offline(), value);
        }
        assertFalse(of("HF_HUB_OFFLINE", "0").offline());
        assertFalse(of("HF_HUB_OFFLINE", "0", "TRANSFORMERS_OFFLINE", "1").offline());
        assertTrue(of("TRANSFORMERS_OFFLINE", "1").offline());
        assertTrue(of().symlinks());
        assertFalse(of("HF_HUB_DISABLE_SYMLINKS", "1").symlinks());
        assertEquals(Duration.ofSeconds(10), of().timeout());
        assertEquals(Duration.ofSeconds(33), of("HF_HUB_DOWNLOAD_TIMEOUT", "33").timeout());
        assertEquals("https://huggingface.co", of().endpoint());
        assertEquals(
                "http://localhost:8080/hf/",
                of("HF_ENDPOINT", "http://localhost:8080/hf/").endpoint());
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "0", "-1", "1.5"})
    void refusesTimeoutsThatAreNone(String value) {
        assertThrows(IllegalArgumentException.class, () -> of("HF_HUB_DOWNLOAD_TIMEOUT", value));
    }

    @Test
    void refusesPathsThatAreNone() {
        assertThrows(IllegalArgumentException.class, () -> of("HF_HOME", "a\0b"));
    }

    private static Proxy proxy(String address, String... pairs) throws IOException {
        ProxySelector selector = EnvironmentProxies.of(of(pairs).proxies()).orElseThrow();
        return selector.select(URI.create(address)).getFirst();
    }

    @Test
    void findsProxiesInTheEnvironment() throws IOException {
        assertEquals(Optional.empty(), EnvironmentProxies.of(of("NO_PROXY", "*").proxies()));
        assertEquals(
                "HTTP @ p/<unresolved>:3128",
                proxy("https://h/", "HTTPS_PROXY", "http://p:3128").toString());
        assertEquals(
                "HTTP @ p/<unresolved>:80",
                proxy("http://h/", "http_proxy", "p").toString());
        assertEquals(Proxy.NO_PROXY, proxy("http://h/", "https_proxy", "p:1"));
        assertEquals(
                "HTTP @ p/<unresolved>:1",
                proxy("http://h/", "ALL_PROXY", "p:1").toString());
        for (String no : new String[] {"h.org", ".org", "x, h.org", "*", "h.org:443", "org"}) {
            assertEquals(Proxy.NO_PROXY, proxy("https://h.org/", "ALL_PROXY", "p:1", "NO_PROXY", no), no);
        }
        for (String no : new String[] {"g.org", "h.org:80", ".h", "rg", ""}) {
            assertEquals(
                    Proxy.Type.HTTP,
                    proxy("https://h.org/", "ALL_PROXY", "p:1", "NO_PROXY", no).type(),
                    no);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://me:secret@p:1", "socks5://p:1", "http://", "p q"})
    void refusesProxiesItCannotUseWithoutShowingThem(String value) {
        String message = assertThrows(HubException.class, () -> proxy("https://h/", "HTTPS_PROXY", value))
                .getMessage();
        assertTrue(message.startsWith("HTTPS_PROXY: "), message);
        assertFalse(message.contains("secret"), message);
    }

    @Test
    void anOriginIsSchemeHostAndPort() throws IOException {
        assertEquals(Origin.of(URI.create("https://H/x")), Origin.of(URI.create("HTTPS://h:443/y?z")));
        assertEquals("https://h", Origin.of(URI.create("https://h:443/y")).toString());
        for (String other :
                new String[] {"http://h/", "https://h:444/", "https://i/", "https://h.i/", "http://h:443/"}) {
            assertFalse(Origin.of(URI.create("https://h/")).equals(Origin.of(URI.create(other))), other);
        }
        assertEquals("https://h/a", Origin.endpoint(" https://h/a// ").toString());
        assertEquals("a%2Fb%20%C3%A4%25", Origin.segment("a/b ä%"));
    }
}
