package io.github.sgpt4j.cli;

/// Runs typical commands in one process, while the launcher script lets the virtual machine record for its
/// ahead-of-time cache which classes are loaded and which methods become hot.
final class Training {
    private static final String[][] COMMANDS = {
        {"embed", "--as", "query", "fear of spiders"},
        {"embed", "--as", "document", "a morbid fear of spiders", "a large body of salt water", "a doctor for children"
        },
        {"score", "--query", "fear of spiders", "a morbid fear of spiders", "a large body of salt water"},
        {"tokenize", "fear of spiders"},
        {"search", "--help"},
    };

    private Training() {}

    public static void main(String[] arguments) {
        int worst = 0;
        for (String[] command : COMMANDS) {
            worst = Math.max(worst, Main.run(Console.ofProcess(), command));
        }
        System.exit(worst);
    }
}
