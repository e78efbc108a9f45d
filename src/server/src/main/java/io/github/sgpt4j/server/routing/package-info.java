/// From a request to the route that answers it: key, readiness, body, limits, errors, log.
package io.github.sgpt4j.server.routing;
