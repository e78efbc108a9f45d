package io.github.sgpt4j.server.problem;

import java.io.Serial;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A request cannot be answered; the client is told why.
public final class ApiException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1;

    private final Problem problem;
    private final @Nullable String field;

    /// @param field of the body that the problem is about
    /// @param message one sentence for the client
    public ApiException(Problem problem, @Nullable String field, String message) {
        super(message);
        this.problem = problem;
        this.field = field;
    }

    /// About no particular field.
    public ApiException(Problem problem, String message) {
        this(problem, null, message);
    }

    /// @param cause for logs; the client does not see it
    public ApiException(Problem problem, String message, Throwable cause) {
        super(message, cause);
        this.problem = problem;
        this.field = null;
    }

    /// What kind of problem it is.
    public Problem problem() {
        return problem;
    }

    /// The field of the body that the problem is about.
    public Optional<String> field() {
        return Optional.ofNullable(field);
    }

    /// The sentence for the client.
    public String sentence() {
        return String.valueOf(getMessage());
    }
}
