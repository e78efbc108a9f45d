/// The engine and its index as models and stores of Spring AI.
package io.github.sgpt4j.spring.ai;
