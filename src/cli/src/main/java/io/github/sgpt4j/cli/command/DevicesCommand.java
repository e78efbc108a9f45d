package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.Devices;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.option.CommonOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.Output;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `sgpt devices`: lists the available devices and their libraries, and why others are unavailable.
@Command(
        name = "devices",
        versionProvider = VersionProvider.class,
        description = "List the devices that models can run on, and why others are unavailable.",
        footer = {"", "Examples:", "  sgpt devices", "  sgpt devices --dtype bf16"})
public final class DevicesCommand implements Callable<Integer> {
    private final Console console;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private CommonOptions common = new CommonOptions();

    public DevicesCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        for (String option : List.of("--device", "--batch-tokens", "--strict")) {
            if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw new ParameterException(
                        spec.commandLine(), "%s has no effect on devices, which lists all of them".formatted(option));
            }
        }
        StringBuilder text = new StringBuilder();
        for (Devices.Device device : Devices.list(common.modelOptions())) {
            append(text, "%-8s".formatted(device.name()), device.available(), device.description());
        }
        for (Devices.Library library : Devices.libraries()) {
            // Skip a library whose problem was already given as the reason why a device is unavailable.
            if (library.available() || text.indexOf(library.description()) < 0) {
                append(text, "%-13s".formatted(library.name()), library.available(), library.description());
            }
        }
        try (Output out = Output.open(console, Optional.empty())) {
            out.stream().write(text.toString().getBytes(StandardCharsets.UTF_8));
            out.finish();
        }
        return 0;
    }

    private static void append(StringBuilder text, String name, boolean available, String description) {
        text.append("%s%-15s%s%n".formatted(name, available ? "available" : "not available", description));
    }
}
