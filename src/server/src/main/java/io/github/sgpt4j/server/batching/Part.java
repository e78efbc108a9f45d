package io.github.sgpt4j.server.batching;

import java.util.List;

/// The part of a batch that belongs to one request.
///
/// @param from index of the first item in the request
record Part<T, R>(Entry<T, R> entry, int from, List<T> items) {}
