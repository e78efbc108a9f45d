package io.github.sgpt4j.weightstools;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a check of a checkpoint found.
///
/// @param directory the checkpoint
/// @param model the kind of model, in one line; empty if its configuration cannot be read
/// @param tokenizer its tokenizer, in one line; empty if it cannot be read
/// @param files the files that were hashed
/// @param folders the folders with weights
/// @param findings what is wrong or worth knowing, errors first
public record VerifyReport(
        Path directory,
        Optional<String> model,
        Optional<String> tokenizer,
        List<HashedFile> files,
        List<WeightFolder> folders,
        List<Finding> findings) {
    /// Keeps copies of the lists.
    public VerifyReport {
        files = List.copyOf(files);
        folders = List.copyOf(folders);
        findings = List.copyOf(findings);
    }

    /// How bad a finding is.
    public enum Severity {
        /// The model cannot be used, or computes something other than it should.
        ERROR,
        /// The model works, but something is unusual.
        WARNING
    }

    /// Something that is wrong or worth knowing.
    ///
    /// @param severity how bad it is
    /// @param message one sentence
    public record Finding(Severity severity, String message) {}

    /// A hashed file.
    ///
    /// @param file the file
    /// @param bytes its length
    /// @param sha256 of its content, in lower-case hexadecimal digits
    /// @param expectedFrom the source of the expected hash; empty if there is none
    /// @param matches whether it has the expected hash; true if there is none
    public record HashedFile(Path file, long bytes, String sha256, Optional<String> expectedFrom, boolean matches) {}

    /// A folder with weights.
    ///
    /// @param folder the folder
    /// @param stored number of tensors in its files
    /// @param expected number of tensors that the model needs
    /// @param found number of needed tensors present with the right shape and type
    /// @param buffers names of stored buffers that models compute themselves, and second names of used
    ///     tensors
    /// @param unused names of stored tensors that the engine does not use, besides `buffers`
    public record WeightFolder(
            Path folder, int stored, int expected, int found, List<String> buffers, List<String> unused) {
        /// Keeps copies of the lists.
        public WeightFolder {
            buffers = List.copyOf(buffers);
            unused = List.copyOf(unused);
        }
    }

    /// Whether there is no error.
    public boolean isSound() {
        return findings.stream().noneMatch(finding -> finding.severity() == Severity.ERROR);
    }
}
