package io.github.sgpt4j.cli.option;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/// The command's version, as recorded by the build.
public final class VersionProvider implements IVersionProvider {
    private static final String FILE = "/io/github/sgpt4j/cli/version.properties";

    @Override
    public String[] getVersion() {
        return new String[] {"sgpt " + version()};
    }

    public static String version() {
        Properties properties = new Properties();
        try (InputStream in = VersionProvider.class.getResourceAsStream(FILE)) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("version", "unknown");
    }
}
