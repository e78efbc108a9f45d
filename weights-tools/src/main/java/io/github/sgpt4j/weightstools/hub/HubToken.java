package io.github.sgpt4j.weightstools.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/// Finds the token to authenticate with.
final class HubToken {
    private static final int MAX_LENGTH = 4096;

    private HubToken() {}

    /// The given token, or else the one in the token file, if there is any.
    ///
    /// @throws HubException if it is not a valid token; the message does not show it
    static Optional<String> of(HubSettings settings) throws IOException {
        Optional<String> given = settings.token();
        if (given.isPresent()) {
            return checked(given.get(), "HF_TOKEN");
        }
        Optional<Path> file = settings.tokenFile();
        return file.isEmpty() ? Optional.empty() : read(file.get());
    }

    private static Optional<String> read(Path file) throws IOException {
        try {
            if (!Files.exists(file)) {
                return Optional.empty();
            }
            if (Files.size(file) > MAX_LENGTH) {
                throw new HubException("%s: expected a token, got %d bytes".formatted(file, Files.size(file)));
            }
            return checked(new String(Files.readAllBytes(file), StandardCharsets.UTF_8), file.toString());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> checked(String text, String where) throws HubException {
        String token = text.replace("\r", "").replace("\n", "").strip();
        if (token.length() > MAX_LENGTH || !token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            throw new HubException(
                    "%s: expected a token of printable ASCII characters, got something else".formatted(where));
        }
        return token.isEmpty() ? Optional.empty() : Optional.of(token);
    }
}
