package io.github.sgpt4j.documents.kind;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Why a file is passed over.
public enum NoText {
    HIDDEN("hidden"),
    IMAGE(
            "images",
            "png jpg jpeg gif bmp tif tiff webp ico icns svg svgz heic avif psd xcf eps ps ppm pgm pbm xpm raw cr2 nef"),
    MEDIA("sound and video", "mp3 wav flac ogg oga ogv opus m4a aac wma mid mp4 m4v mkv avi mov webm wmv mpg mpeg flv"),
    ARCHIVE("archives", "zip tar tgz tbz tbz2 txz bz2 xz zst lz4 lzma 7z rar deb rpm iso dmg cab cpio jar war ear whl"),
    OFFICE(
            "documents of other programs",
            "doc dot xls xlsx xlsm ppt pptx odt ods odp odg rtf epub mobi azw azw3 djvu pages numbers key one msg pst"),
    FONT("fonts", "ttf otf ttc woff woff2 eot pfb pfm"),
    BINARY(
            "binary files",
            "exe dll so dylib o a lib obj class pyc pyo bin db sqlite sqlite3 mdb npy npz safetensors pt pth onnx"
                    + " gguf pickle pkl parquet arrow feather h5 hdf5 mo wasm aot jsa swp"),
    EMPTY("empty"),
    WITHOUT_TEXT("without text"),
    LARGE("too large"),
    LINK("links"),
    SPECIAL("devices, pipes or sockets");

    private final String title;
    private final List<String> suffixes;

    NoText(String title) {
        this(title, "");
    }

    NoText(String title, String suffixes) {
        this.title = title;
        this.suffixes = List.of(suffixes.split(" "));
    }

    /// What such files are called in a report, after their number.
    public String title() {
        return title;
    }

    /// Why a file with such a name is not opened at all; empty if it may be text.
    public static Optional<NoText> of(String name) {
        String suffix = FileKind.suffix(name);
        if (suffix.isEmpty()) {
            return Optional.empty();
        }
        return Arrays.stream(values())
                .filter(reason -> reason.suffixes.contains(suffix))
                .findFirst();
    }
}
