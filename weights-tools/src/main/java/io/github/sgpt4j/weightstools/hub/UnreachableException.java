package io.github.sgpt4j.weightstools.hub;

/// There is no connection to the hub, or it is out of order: the cache may be used instead.
final class UnreachableException extends HubException {
    private static final long serialVersionUID = 1L;

    UnreachableException(TransientException cause) {
        super(String.valueOf(cause.getMessage()), cause);
    }
}
