package io.github.sgpt4j.nano;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.files.UserCache;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/// The built-in model and its demo corpus: a GPT-Neo of 10.7 million parameters, trained as a sentence encoder
/// (asymmetric, "specb") for everyday and dictionary English, and 4,000 WordNet entries. As a cross-encoder the model
/// is only good for trying out the API.
public final class NanoModel {
    private static final String FOLDER = "/META-INF/sgpt4j/nano/";
    private static final String MODEL = "model/";

    private NanoModel() {}

    /// Opens the model as an encoder; closing the encoder closes the model.
    ///
    /// @throws UncheckedIOException if the model cannot be unpacked
    public static BiEncoder open() {
        return BiEncoder.open(directory());
    }

    /// The model as a checkpoint directory, unpacked on first use.
    ///
    /// The directory is `sgpt4j/nano-specb-HASH` in the user's cache (`$XDG_CACHE_HOME` or `~/.cache`, on Windows
    /// `%LOCALAPPDATA%`); "specb" marks the model as asymmetric, and the hash identifies the contents. A
    /// directory with a missing or changed file is replaced. Several processes may call this at the same time.
    /// If the cache cannot be written, the model is unpacked into a temporary directory that is deleted when
    /// the virtual machine exits.
    ///
    /// @throws UncheckedIOException if the model cannot be unpacked there either
    public static Path directory() {
        return Unpacked.INSTANCE;
    }

    /// The demo corpus: JSON Lines in UTF-8 with `_id`, `title` (lemmas) and `text` (definition). The caller closes it.
    public static InputStream corpus() {
        return resource("corpus.jsonl");
    }

    /// Identifies the contents of model and corpus: 8 hexadecimal digits, a checksum of their SHA-256 digests.
    public static String version() {
        try (InputStream list = resource("files.tsv")) {
            CRC32 checksum = new CRC32();
            checksum.update(list.readAllBytes());
            return HexFormat.of().toHexDigits(checksum.getValue(), 8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Path directory(Map<String, String> environment, Path home) throws IOException {
        String name = "nano-specb-" + version();
        Unpacker unpacker = new Unpacker(modelFiles(), file -> resource(MODEL + file));
        return unpacker.unpack(UserCache.of(environment, home.toString()).folder(), name);
    }

    /// The model's files with sizes and digests, paths relative to the model's directory.
    static List<ListedFile> modelFiles() {
        try (InputStream list = resource("files.tsv")) {
            return ListedFile.parse(list.readAllBytes()).stream()
                    .filter(file -> file.path().startsWith(MODEL))
                    .map(file -> file.withPath(file.path().substring(MODEL.length())))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static InputStream resource(String name) {
        InputStream in = NanoModel.class.getResourceAsStream(FOLDER + name);
        if (in == null) {
            // The jar is opened only when something in it is needed; a failure to open it shows up here.
            throw new UncheckedIOException(new IOException(
                    FOLDER + name + ": not found beside this class: the jar is damaged, or too many files are open"));
        }
        return in;
    }

    /// Holder that unpacks the model once per process.
    private static final class Unpacked {
        static final Path INSTANCE = unpack();

        private static Path unpack() {
            try {
                return directory(System.getenv(), Path.of(System.getProperty("user.home", ".")));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
