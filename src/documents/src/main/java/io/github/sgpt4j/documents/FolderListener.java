package io.github.sgpt4j.documents;

/// Is told of each file that is not read, and how files were understood. An exception it throws ends the
/// reading.
public interface FolderListener {
    /// Ignores all reports.
    FolderListener NONE = new FolderListener() {};

    /// A file or hidden folder was passed over.
    ///
    /// @param name path below the folder
    /// @param reason such as `images`
    default void passedOver(String name, String reason) {}

    /// A file cannot be read, or not to its end.
    ///
    /// @param name path below the folder
    /// @param reason such as `encrypted with a password`
    default void failed(String name, String reason) {}

    /// How a file was understood, where that is not obvious.
    ///
    /// @param name path below the folder
    /// @param sentence such as `not UTF-8, read as windows-1252`
    default void told(String name, String sentence) {}
}
