package io.github.sgpt4j.server.json;

import java.util.List;
import java.util.Map;

/// A value of a request's body. Compact, so that a body of numbers does not become a heap of objects.
public sealed interface Json {
    /// How messages call it.
    String described();

    /// Members in their order.
    record Members(Map<String, Json> values) implements Json {
        @Override
        public String described() {
            return "an object";
        }
    }

    /// Elements, not all of them whole numbers; or none.
    record Elements(List<Json> values) implements Json {
        @Override
        public String described() {
            return values.isEmpty() ? "an empty array" : "an array";
        }
    }

    /// At least one element, all of them whole numbers of 32 bits.
    record Integers(int[] values) implements Json {
        @Override
        public String described() {
            return "an array of numbers";
        }
    }

    /// A string.
    record Text(String value) implements Json {
        @Override
        public String described() {
            return "a string";
        }
    }

    /// A number; whole ones of 32 bits are [Whole].
    record Number(double value) implements Json {
        @Override
        public String described() {
            return "the number " + value;
        }
    }

    /// A whole number.
    record Whole(int value) implements Json {
        @Override
        public String described() {
            return "the number " + value;
        }
    }

    /// `true` or `false`.
    record Truth(boolean value) implements Json {
        @Override
        public String described() {
            return String.valueOf(value);
        }
    }

    /// `null`.
    record Null() implements Json {
        @Override
        public String described() {
            return "null";
        }
    }
}
