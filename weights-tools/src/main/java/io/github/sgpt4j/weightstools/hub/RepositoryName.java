package io.github.sgpt4j.weightstools.hub;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The name of a repository, checked.
///
/// @param owner user or organisation
/// @param name name of the repository
/// @param revision a branch, a tag, or the hash of a commit
record RepositoryName(String owner, String name, String revision) {
    private static final int MAX_LENGTH = 96;
    private static final Pattern PART = Pattern.compile("[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?");
    private static final Pattern REVISION = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_.+-]+)*");
    private static final Pattern FORM = Pattern.compile("([^/@]+)/([^/@]+)(?:@(.+))?", Pattern.DOTALL);
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    /// @param noun what the repository holds, for messages
    /// @throws IllegalArgumentException if a part is not what hubs allow
    static void require(String noun, String owner, String name, String revision) {
        if (!isPart(owner) || !isPart(name) || name.endsWith(".git")) {
            throw new IllegalArgumentException(
                    "expected OWNER/NAME of a hub %s, got \"%s/%s\"".formatted(noun, owner, name));
        }
        if (!isRevision(revision)) {
            throw new IllegalArgumentException(
                    "expected a branch, a tag or a commit's hash as revision, got \"%s\"".formatted(revision));
        }
    }

    /// Reads `OWNER/NAME` or `OWNER/NAME@REVISION`.
    ///
    /// @return empty if the text has another form
    static Optional<RepositoryName> parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            return Optional.empty();
        }
        String revision = Optional.ofNullable(form.group(3)).orElse(HubRepository.DEFAULT_REVISION);
        return isPart(form.group(1)) && isPart(form.group(2)) && !form.group(2).endsWith(".git") && isRevision(revision)
                ? Optional.of(new RepositoryName(form.group(1), form.group(2), revision))
                : Optional.empty();
    }

    private static boolean isPart(String text) {
        return text.length() <= MAX_LENGTH
                && PART.matcher(text).matches()
                && !text.contains("--")
                && !text.contains("..");
    }

    private static boolean isRevision(String text) {
        return text.length() <= MAX_LENGTH
                && REVISION.matcher(text).matches()
                && !text.matches("(?:.*/)?\\.+(?:/.*)?")
                && !text.contains("..");
    }

    /// Whether a text is a full commit hash.
    static boolean isCommit(String text) {
        return COMMIT.matcher(text).matches();
    }

    /// As a user would write it.
    static String shown(HubRepository repository) {
        return repository.revision().equals(HubRepository.DEFAULT_REVISION)
                ? repository.id()
                : repository.id() + "@" + repository.revision();
    }
}
