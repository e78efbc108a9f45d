package io.github.sgpt4j.server.problem;

/// Why a request is not answered, and how each dialect says it.
public enum Problem {
    /// The body is not JSON.
    INVALID_JSON(400, "invalid_request_error", "invalid_json", 400, "Validation", "validation"),
    /// A field is missing, or has a wrong type or value.
    INVALID_VALUE(400, "invalid_request_error", "invalid_value", 422, "Validation", "validation"),
    /// An empty batch or an empty text.
    EMPTY_INPUT(400, "invalid_request_error", "empty_input", 400, "Empty", "validation"),
    /// A text is too long and must not be cut.
    INPUT_TOO_LONG(400, "invalid_request_error", "input_too_long", 422, "Validation", "validation"),
    /// A token id that the model does not have.
    INVALID_TOKEN(400, "invalid_request_error", "invalid_token", 422, "Tokenizer", "tokenization"),
    /// Too many texts, or a body that is too large.
    TOO_LARGE(413, "invalid_request_error", "too_large", 413, "Validation", "batch_size"),
    /// No API key, or a wrong one.
    INVALID_API_KEY(401, "authentication_error", "invalid_api_key", 401, "Validation", "validation"),
    /// The request is for a name that the server does not answer to.
    HOST_NOT_ALLOWED(403, "permission_error", "host_not_allowed", 403, "Validation", "validation"),
    /// No such model.
    MODEL_NOT_FOUND(404, "invalid_request_error", "model_not_found", 404, "Validation", "validation"),
    /// No such path.
    PATH_NOT_FOUND(404, "invalid_request_error", "not_found", 404, "Validation", "validation"),
    /// The path exists, but not with this method.
    METHOD_NOT_ALLOWED(405, "invalid_request_error", "method_not_allowed", 405, "Validation", "validation"),
    /// The body is not declared as JSON.
    MEDIA_TYPE(415, "invalid_request_error", "unsupported_media_type", 415, "Validation", "validation"),
    /// The model cannot do what is asked.
    MODEL_TYPE(400, "invalid_request_error", "model_type", 424, "Backend", "model_type"),
    /// Too much work is waiting.
    OVERLOADED(429, "rate_limit_error", "overloaded", 429, "Overloaded", "overloaded"),
    /// The models are not loaded yet, or the server is ending.
    UNAVAILABLE(503, "server_error", "unavailable", 503, "Unhealthy", "overloaded"),
    /// The work was not done in time.
    TIMEOUT(504, "server_error", "timeout", 504, "Backend", "dropped"),
    /// The computation failed.
    INTERNAL(500, "server_error", "internal", 424, "Backend", "inference");

    private final int status;
    private final String type;
    private final String code;
    private final int teiStatus;
    private final String teiType;
    private final String metric;

    Problem(int status, String type, String code, int teiStatus, String teiType, String metric) {
        this.status = status;
        this.type = type;
        this.code = code;
        this.teiStatus = teiStatus;
        this.teiType = teiType;
        this.metric = metric;
    }

    /// HTTP status in OpenAI's dialect.
    public int status() {
        return status;
    }

    /// `type` in OpenAI's dialect.
    public String type() {
        return type;
    }

    /// `code` in OpenAI's dialect.
    public String code() {
        return code;
    }

    /// HTTP status in the dialect of text-embeddings-inference.
    public int teiStatus() {
        return teiStatus;
    }

    /// `error_type` in the dialect of text-embeddings-inference.
    public String teiType() {
        return teiType;
    }

    /// `err` of the counter `te_request_failure`.
    public String metric() {
        return metric;
    }
}
